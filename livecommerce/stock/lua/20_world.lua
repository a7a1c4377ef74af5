-- What one call knows: items, records, waitlists, read when first needed, changed in tables only, written at the end.

local world = {}

local RECORD_OPERATIONS_MAX = 1000 -- ids kept a viewer and show; past it nothing more is accepted, so none is forgotten
local LINE_CHUNK = 128 -- viewers in one field of an item's line: fields stay under 5 kB, and few claims make a field
local WAIT_CHUNK = 64 -- entries of a waitlist read at a time
local WRITE_CHUNK = 2000 -- arguments a command: unpack fails past 7,999
local WORK_MAX = 2000 -- claims expired or promoted in one call: about 10 ms; the rest is done by the next call

function world.new(items_key, now_ms, offer_seconds)
  local base = string.sub(items_key, 1, -1 - #KEYS.items) -- "lc:{shop}:"
  return { base = base, items_key = items_key, now = now_ms, offer_seconds = offer_seconds,
    items = {}, records = {}, shows = {}, deadlines = {}, due_done = {}, effects = {}, changed_items = {},
    offers = {}, runs = {}, reads = {},
    work_left = WORK_MAX, more = false,
    set_back_ms = 0 } -- how far the clock was set back since the last call: due times are still that much later
end

function world.show(w, name)
  local show = w.shows[name]
  if not show then
    show = { name = name, key = w.base .. KEYS.viewers .. name, strings = {}, fields = {}, chats = {},
      claims = { "" }, pieces = 1, claims_count = 0, has_runs = false, sets = {}, sets_count = 0 }
    w.shows[name] = show
  end
  return show
end

function world.chat(show, chat) show.chats[#show.chats + 1] = chat end

function world.load_items(w, names)
  local wanted = {}
  for index = 1, #names do
    if w.items[names[index]] == nil then wanted[#wanted + 1] = names[index] end
  end
  if #wanted == 0 then return end
  local found = redis.call("HMGET", w.items_key, unpack(wanted))
  for index = 1, #wanted do
    w.items[wanted[index]] = found[index] and codec.unpack_item(wanted[index], found[index]) or false
  end
end

function world.item(w, name)
  if w.items[name] == nil then world.load_items(w, { name }) end
  return w.items[name]
end

function world.touch(w, item)
  if not item.changed then
    item.changed = true
    w.changed_items[#w.changed_items + 1] = item
  end
end

function world.offer(w, key)
  local found = codec.offer_cached(key)
  if found then return found end
  local bytes = redis.call("HGET", w.base .. KEYS.offers, key)
  if not bytes then error("offer of a claim is missing") end
  return codec.offer(key, bytes)
end

-- What was read for the batch becomes known by viewer, when the first operation needs more than the short way.
function world.settle(w)
  for _, read in ipairs(w.reads) do
    local strings, viewers, found = read.show.strings, read.viewers, read.found
    for index = 1, #found do
      local viewer = viewers[index]
      if strings[viewer] == nil then strings[viewer] = found[index] end
    end
  end
  w.reads = {}
end

-- Active claims have units that are held or wait; states 1 to 3.
function world.active(claim) return claim.state <= 3 end

-- Units of a viewer in the show: all (active and confirmed) and active ones, of the show, an item, a product over its
-- options. They are no second truth: counted when the record is parsed, and kept up by `count` until the call ends.
-- Most viewers of a rush have nothing: those share one table, which nobody writes to.
local function nothing_had()
  return { show_all = 0, show_active = 0, item_all = {}, item_active = {}, product_all = {} }
end
local NOTHING_HAD = nothing_had()

local function add(counts, name, units) counts[name] = (counts[name] or 0) + units end

-- Counts a claim in (sign 1) or out (-1). Who changes a claim's units or state does so between an out and an in, so
-- that looking at a limit costs the same with a thousand claims as with one.
function world.count(claim, sign)
  local active = world.active(claim)
  if not active and claim.state ~= CONFIRMED then return end
  local record, units = claim.record, sign * (claim.held + claim.waiting)
  if record.has == NOTHING_HAD then record.has = nothing_had() end
  local has = record.has
  has.show_all = has.show_all + units
  add(has.item_all, claim.item, units)
  add(has.product_all, claim.product, units)
  if active then
    has.show_active = has.show_active + units
    add(has.item_active, claim.item, units)
  end
end

-- A viewer's record, parsed once a call; `strings` holds what was read ahead for the whole batch.
function world.record(w, show_name, viewer)
  local show = world.show(w, show_name)
  local record = w.records[show_name .. "/" .. viewer]
  if record then return record end
  local bytes = show.strings[viewer]
  if bytes == nil then bytes = redis.call("HGET", show.key, viewer) end
  show.strings[viewer] = bytes or "" -- no longer false: the short way is for viewers without a record
  record = { show = show_name, viewer = viewer, operations = bytes and codec.parse_record(bytes) or {},
    has = NOTHING_HAD }
  for index = 1, #record.operations do
    local operation = record.operations[index]
    for number = 1, #operation.claims do
      local claim = operation.claims[number]
      local offer = world.offer(w, claim.offer)
      claim.record, claim.item, claim.product = record, offer.item, offer.product
      world.count(claim, 1)
    end
  end
  w.records[show_name .. "/" .. viewer] = record
  return record
end

function world.full(record) return #record.operations >= RECORD_OPERATIONS_MAX end

function world.claim(record, item, number)
  for index = #record.operations, 1, -1 do
    local claims = record.operations[index].claims
    for position = 1, #claims do
      if claims[position].number == number and claims[position].item == item then return claims[position] end
    end
  end
end

-- Who has the claim of that number. Viewers stand in the order of their numbers, so many to a field of the line's hash.
local function owner_of(w, name, number)
  local chunk = math.floor((number - 1) / LINE_CHUNK)
  local viewers = redis.call("HGET", w.base .. KEYS.line .. name, chunk)
  local place = (number - 1) % LINE_CHUNK
  for viewer in string.gmatch(viewers or "", "[^,]+") do
    if place == 0 then return viewer end
    place = place - 1
  end
end

-- The claim a reservation "<item>#<number>" names, or nil. Whose it is stands in the item's line of viewers.
function world.find(w, show_name, reservation, viewer)
  local name, digits = string.match(reservation, "^(.+)#(%d+)$")
  local number = tonumber(digits)
  if not number or number < 1 or number > 4294967295 then return nil end
  local item = world.item(w, name)
  if not item or number >= item.next then return nil end
  local stored = item.next - item.line_count
  local owner = number >= stored and item.line[number - stored + 1] or owner_of(w, name, number)
  if not owner then return nil end
  return world.claim(world.record(w, show_name, owner), name, number), owner
end

-- Member of a waitlist: number/show/viewer; none has a slash. Score = number: the order is that of joining.
local function member(claim)
  return string.format("%d/%s/%s", claim.number, claim.record.show, claim.record.viewer)
end

function world.join(item, claim)
  item.entries = item.entries + 1
  item.joined[#item.joined + 1] = member(claim)
end

function world.leave(item, claim)
  item.entries = item.entries - 1
  item.left[#item.left + 1] = member(claim)
end

-- The member of the waitlist at the reading position: first those stored before this call, then those who joined in it.
-- Nothing is written before the end of the call, so ranks do not move.
local function peek(w, item)
  if not item.queue then item.queue, item.front, item.read, item.joined_front = {}, 1, 0, 1 end
  if item.queue[item.front] then return item.queue[item.front] end
  if not item.stored_done then
    item.queue, item.front = redis.call("ZRANGE", w.base .. KEYS.wait .. item.name, item.read,
      item.read + WAIT_CHUNK - 1), 1
    item.read = item.read + #item.queue
    item.stored_done = #item.queue < WAIT_CHUNK
    if item.queue[1] then return item.queue[1] end
  end
  return item.joined[item.joined_front]
end

local function advance(item)
  if item.queue[item.front] then item.front = item.front + 1 else item.joined_front = item.joined_front + 1 end
end

-- The claim at the head of the item's line, or nil. Entries whose claim has left in this call are passed over.
function world.head(w, item)
  while true do
    local found = peek(w, item)
    if not found then return nil end
    local number, show, viewer = string.match(found, "^(%d+)/([^/]*)/(.*)$")
    local claim = world.claim(world.record(w, show, viewer), item.name, tonumber(number))
    if claim and claim.waiting > 0 and world.active(claim) then return claim end
    advance(item)
  end
end

-- Operations of staff have no viewer and no claims of their own; each is one field of a hash of the show.
function world.staff_answer(w, show_name, id)
  local show = world.show(w, show_name)
  if show.fields[id] then return show.fields[id] end
  return redis.call("HGET", w.base .. KEYS.ids .. show_name, id)
end
