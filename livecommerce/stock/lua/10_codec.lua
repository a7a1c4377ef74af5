-- Bytes in and out: counters, offers, answers, viewer records. See docs/stock.md, "What is stored".

local codec = {}

local RESERVED = 1 -- outcome
local HELD, WAITING, OFFERED, CONFIRMED, CANCELLED, EXPIRED, RELEASED = 1, 2, 3, 4, 5, 6, 7 -- states of a claim
local QUANTITY_MAX, SUPPLY_MAX, PRICE_MINOR_MAX = 9999, 1000000000, 1000000000000
local WHOLE, EXTENDED = 1, 2 -- claim flags: waits for the full quantity; its one extension is used
local OFFERS_CACHED_MAX = 2000 -- offers are content-addressed and never change; 2,000 of 300 bytes stay small
local offers_cached, offers_cached_count = {}, 0

local STATES = { "held", "waiting", "offered", "confirmed", "cancelled", "expired", "released" }
local OUTCOMES = {
  "reserved", "partly", "waiting", "cancelled", "reduced", "changed", "swapped", "confirmed", "released", "extended",
  "expired", "restocked", "adjusted", "closed", "opened", "unchanged", "sold_out", "over_limit", "sales_closed",
  "item_unknown", "reservation_unknown", "not_yours", "not_active", "already_extended", "adjust_too_low",
  "already_claimed", "id_reused", "input_bad", "quantity_bad", "too_many_operations", "stock_changed",
}
local OUTCOME = {}
for number = 1, #OUTCOMES do OUTCOME[OUTCOMES[number]] = number end

-- msgpack heads of strings by length, so that known text is framed without calling cmsgpack
local HEAD = {}
-- `string` and its like do not exist while a library is loaded, only while it runs: so these are made by the first call
local function prepare_heads()
  for length = 0, 31 do HEAD[length] = string.char(160 + length) end
  for length = 32, 255 do HEAD[length] = string.char(217, length) end
end

function codec.pack_string(text)
  local head = HEAD[#text]
  return head and head .. text or cmsgpack.pack(text)
end

-- counters of an item: 29 bytes
function codec.pack_item(item)
  return struct.pack("<I4I4I4I4I4I4I4B", item.available, item.held, item.sold, item.waiting, item.supplied, item.next,
    item.entries, item.closed)
end

function codec.unpack_item(name, bytes)
  local item = { name = name, line = {}, line_count = 0, joined = {}, left = {} }
  item.available, item.held, item.sold, item.waiting, item.supplied, item.next, item.entries, item.closed =
    struct.unpack("<I4I4I4I4I4I4I4B", bytes)
  return item
end

function codec.new_item(name)
  return { name = name, available = 0, held = 0, sold = 0, waiting = 0, supplied = 0, next = 1, entries = 0, closed = 0,
    line = {}, line_count = 0, joined = {}, left = {} }
end

-- The product a sku is an option of: the part before the first slash (stock/skus.py says it in Python).
function codec.product_of(sku) return string.match(sku, "^[^/]*") end

-- an offer: what was promised when the claim was made. key = 6 bytes of a digest of the bytes
function codec.offer(key, bytes)
  local found = offers_cached[key]
  if found then return found end
  local parts = cmsgpack.unpack(bytes)
  found = { key = key, bytes = bytes, item = parts[1], price = parts[2], currency = parts[3], text = parts[4],
    source = parts[5], product = codec.product_of(parts[1]) }
  if offers_cached_count >= OFFERS_CACHED_MAX then offers_cached, offers_cached_count = {}, 0 end
  offers_cached[key], offers_cached_count = found, offers_cached_count + 1
  return found
end

function codec.offer_cached(key) return offers_cached[key] end

-- an answer: outcome, time, lines of (outcome, number, reserved, waiting, position, deadline, available, item name),
-- then of each line past a limit (which line, kind of limit, limit, what the viewer had)
function codec.pack_answer(outcome, at, lines)
  local out = { struct.pack("<BI6B", outcome, at, #lines) }
  for index = 1, #lines do
    local line = lines[index]
    out[index + 1] = struct.pack("<BI4I2I2I4I6I4B", line.outcome, line.number, line.reserved, line.waiting,
      line.position, line.deadline, line.available, #line.item) .. line.item
  end
  for index = 1, #lines do
    local over = lines[index].over
    if over then out[#out + 1] = struct.pack("<BBI4I4", index, over.kind, over.limit, over.had) end
  end
  return table.concat(out)
end

function codec.answer(outcome, at, line) -- an answer of one line, or of none
  return codec.pack_answer(outcome, at, line and { line } or {})
end

--[[ A viewer's record in one show: every operation with its answer, followed by the claims it made.
  "r" idlen id number4 sum4 digest4 at6 offer6 quantity2 hold3 state1  one line, held in full: 32 bytes + id
  "o" idlen id digest4 answerlen2 answer claims x ("c" offer6 number4 state1 held2 waiting2 flags1 deadline6 hold3) ]]
local CLAIM_BYTES = 26
local SUM = 4294967296 -- of a short record: available + quantity * number, which all claims of a run share, modulo this

local function read_short(bytes, at, operation)
  local number, sum, digest, made, offer, quantity, hold, state, after =
    struct.unpack("<I4I4c4I6c6I2I3B", bytes, at)
  operation.digest, operation.at, operation.quantity = digest, made, quantity
  operation.available = (sum - quantity * number) % SUM
  operation.short = true
  operation.claims[1] = { offer = offer, number = number, state = state, held = quantity, waiting = 0, flags = 0,
    deadline = made + hold * 1000, hold = hold, operation = operation }
  return after
end

function codec.parse_record(bytes)
  local operations, at, length = {}, 1, #bytes
  local current
  while at <= length do
    local kind = string.byte(bytes, at)
    if kind == 99 then -- c
      local offer, number, state, held, waiting, flags, deadline, hold = struct.unpack("<c6I4BI2I2BI6I3", bytes, at + 1)
      current.claims[#current.claims + 1] = { offer = offer, number = number, state = state, held = held,
        waiting = waiting, flags = flags, deadline = deadline, hold = hold, operation = current }
      at = at + CLAIM_BYTES
    else
      local id_length = string.byte(bytes, at + 1)
      current = { id = string.sub(bytes, at + 2, at + 1 + id_length), claims = {} }
      at = at + 2 + id_length
      if kind == 114 then -- r
        at = read_short(bytes, at, current)
      else
        local digest, size, after = struct.unpack("<c4I2", bytes, at)
        current.digest, current.answer = digest, string.sub(bytes, after, after + size - 1)
        at = after + size
      end
      operations[#operations + 1] = current
    end
  end
  return operations
end

local function write_short(out, operation, claim)
  out[#out + 1] = "r" .. string.char(#operation.id) .. operation.id .. struct.pack("<I4I4c4I6c6I2I3B",
    claim.number, (operation.available + claim.held * claim.number) % SUM, operation.digest, operation.at, claim.offer,
    claim.held, claim.hold, claim.state)
end

-- The short form can say only what it has fields for; anything that touched more than the state needs the long one.
local function still_short(operation)
  local claim = operation.claims[1]
  return operation.short and claim.waiting == 0 and claim.flags == 0 and claim.held == operation.quantity
    and claim.deadline == operation.at + claim.hold * 1000
end

-- The stored answer of an operation; `item_of(offer key)` gives the item's name.
function codec.answer_of(operation, item_of)
  if not operation.answer then
    local claim = operation.claims[1]
    operation.answer = codec.answer(RESERVED, operation.at, { outcome = RESERVED, number = claim.number,
      reserved = operation.quantity, waiting = 0, position = 0, deadline = operation.at + claim.hold * 1000,
      available = operation.available, item = item_of(claim.offer) })
  end
  return operation.answer
end

function codec.pack_record(operations, item_of)
  local out = {}
  for index = 1, #operations do
    local operation = operations[index]
    if still_short(operation) then
      write_short(out, operation, operation.claims[1])
    else
      local answer = codec.answer_of(operation, item_of)
      out[#out + 1] = "o" .. string.char(#operation.id) .. operation.id .. operation.digest
        .. struct.pack("<I2", #answer) .. answer
      for number = 1, #operation.claims do
        local claim = operation.claims[number]
        out[#out + 1] = struct.pack("<Bc6I4BI2I2BI6I3", 99, claim.offer, claim.number, claim.state, claim.held,
          claim.waiting, claim.flags, claim.deadline, claim.hold)
      end
    end
  end
  return table.concat(out)
end
