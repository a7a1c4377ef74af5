-- What is told: the claims event of the show log, and the effects of the ledger entry.

local events = {}

function events.id_text(id)
  if string.byte(id, 1) ~= 1 then return id end
  return string.format("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", string.byte(id, 2, 17))
end

-- A claim as the show log tells it, after a change. `operation` is what did it; lazy changes have the maker's id.
function events.claim(w, claim, operation, id, outcome)
  local offer = world.offer(w, claim.offer)
  local show = world.show(w, claim.record.show)
  show.pieces = show.pieces + 1
  show.claims[show.pieces] = cmsgpack.pack({
    id = events.id_text(id), op = operation, viewer = claim.record.viewer, item = claim.item,
    outcome = OUTCOMES[outcome], reservation = claim.item .. "#" .. claim.number, number = claim.number,
    reserved = claim.held, waiting = claim.waiting, position = claim.position or 0, deadline = claim.deadline,
    state = STATES[claim.state], quantity = claim.held + claim.waiting, price = offer.price, currency = offer.currency,
    text = offer.text, source = offer.source,
  })
  show.claims_count = show.claims_count + 1
end

function events.offer(w, line)
  w.offers[line.offer] = line.offer_bytes
  codec.offer(line.offer, line.offer_bytes)
end

-- The claim as it is now, for the ledger and the log. Called after every change of a claim.
function events.changed(w, claim, operation, id, outcome)
  claim.record.changed = true
  w.offers[claim.offer] = world.offer(w, claim.offer).bytes -- so that a ledger entry can be read on its own
  -- in the order of CLAIM_EFFECT
  w.effects[#w.effects + 1] = { "c", claim.record.show, claim.record.viewer, claim.operation.id, claim.item,
    claim.number,
    claim.offer, claim.state, claim.held, claim.waiting, claim.flags, claim.deadline, claim.hold, operation, id }
  events.claim(w, claim, operation, id, outcome)
end

-- A run of plain claims: where it stands in the batch, which the log entry then carries as it came. Python's showlog.py
-- makes claims of it; here it costs four numbers instead of 250 bytes a claim.
function events.run(show, first, count, number, template)
  show.pieces, show.claims_count, show.has_runs = show.pieces + 1, show.claims_count + 1, true
  show.claims[show.pieces] = cmsgpack.pack({ first, count, number, template }) -- in the order of SHOW_RUN
end

local function array_head(count)
  if count < 16 then return string.char(144 + count) end
  return "\221" .. struct.pack(">I4", count)
end

-- One log entry of a show: the chat events as they came, then the claims event. Arrays are concatenated behind their
-- head, so that nothing is unpacked to be packed again, and all at once: a long string is hashed when it is made.
function events.entry(w, show, stock)
  local pieces, count = show.claims, #show.chats
  local has_claims = show.claims_count > 0 or stock ~= nil
  local head = array_head(count + (has_claims and 1 or 0)) .. table.concat(show.chats)
  if not has_claims then return head end
  pieces[1] = head .. "\132" .. codec.pack_string("t") .. codec.pack_string("claims") .. codec.pack_string("at")
    .. cmsgpack.pack(w.now) .. codec.pack_string("claims") .. array_head(show.claims_count)
  pieces[show.pieces + 1] = codec.pack_string("stock") .. (stock or "\128")
  return table.concat(pieces, "", 1, show.pieces + 1)
end

-- {sku: [available, held, sold, waiting, supplied]} of the items that changed, or nil
function events.stock(w)
  local count = #w.changed_items
  if count == 0 then return nil end
  local out = { count < 16 and string.char(128 + count) or "\222" .. struct.pack(">I2", count) }
  for index = 1, count do
    local item = w.changed_items[index]
    out[index + 1] = codec.pack_string(item.name)
      .. cmsgpack.pack({ item.available, item.held, item.sold, item.waiting, item.supplied })
  end
  return table.concat(out)
end
