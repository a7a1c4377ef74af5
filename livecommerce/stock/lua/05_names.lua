-- Names that Python has too: keys (stock/keys.py) and the fields of what is sent and kept, in their order
-- (stock/wire.py). tests/stock/test_wire.py and test_keys.py hold both sides together.

local KEYS = {
  items = "stock:items", viewers = "stock:viewers:", ids = "stock:ids:", shows = "stock:shows",
  offers = "stock:offers", line = "stock:line:", wait = "stock:wait:", due = "stock:due",
  ledger = "ledger", show = "show:", log = ":log",
}
local FIELDS = { fence = "#fence", epoch = "#epoch", closed = "#closed", now = "#now" } -- of the items; no sku has a #

local TEMPLATE = {
  "kind", "show", "source", "digest", "reservation", "item", "quantity", "reason", "seconds", "fill_all",
  "repeat_policy", "waitlist", "per_item", "per_show", "per_comment", "hold_max", "lines", "product_limits",
  "expected",
}
local LINE = { "item", "quantity", "offer", "offer_bytes" } -- one after the other in `lines`
local RUN = { "first", "length", "number", "available", "template" }
local SHOW_RUN = { "first", "length", "number", "template" }
local CLAIM_EFFECT = {
  "kind", "show", "viewer", "operation", "item", "number", "offer", "state", "held", "waiting", "flags", "deadline",
  "hold", "cause", "by",
}
local ANSWER_EFFECT = { "kind", "show", "viewer", "operation", "digest", "answer", "staff" }
local SUPPLY_EFFECT = { "kind", "show", "item", "cause", "quantity", "reason", "source" }

local function positions(fields)
  local found = {}
  for index = 1, #fields do found[fields[index]] = index end
  return found
end

local IN_TEMPLATE, IN_LINE, IN_CLAIM = positions(TEMPLATE), positions(LINE), positions(CLAIM_EFFECT)
