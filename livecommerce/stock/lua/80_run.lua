-- The loop over a batch. A viewer's first claim on open, sufficient stock nobody waits for takes the short way: no
-- tables, one new string; everything else goes through `decide`.

local BYTE, DIGITS, VIEWER_HEAD, RECORD_HEAD = {}, {}, {}, {} -- by value, by last three digits, by length, by length
local RUN_RECORD_TAIL = "<c4I6c6I2I3B" -- of a short record: what all claims of a run share
local ITEM_LENGTH_MAX = 200 -- bytes of an item's name on the short way: its reservations are framed by a table of heads

local function prepare()
  prepare_heads()
  for value = 0, 255 do BYTE[value] = string.char(value) end
  for value = 0, 999 do DIGITS[value] = string.format("%03d", value) end
  local viewer, id = codec.pack_string("viewer"), codec.pack_string("id")
  for length = 1, 40 do VIEWER_HEAD[length] = viewer .. HEAD[length] end
  for length = 1, 64 do RECORD_HEAD[length] = "r" .. string.char(length) end
  for length = 1, 64 do RECORD_HEAD[-length] = id .. HEAD[length] end
end

-- What all fast claims of a template share in this call; nil where the short way is not open.
local function fast_parts(w, template)
  local line = template.lines[1]
  local item = world.item(w, line.item)
  if not item or item.closed == 1 or #line.item > ITEM_LENGTH_MAX then return nil end
  local deadline = w.now + template.seconds * 1000
  return { show = world.show(w, template.show), item = item, line = line, deadline = deadline, name = line.item .. "#",
    record_tail = struct.pack(RUN_RECORD_TAIL, template.digest, w.now, line.offer, line.quantity, template.seconds,
      HELD),
    event_head = events.constant(w, template, line, deadline) }
end

local function begin_fast(w, parts)
  parts.begun = true
  w.deadlines[parts.deadline] = true
  events.offer(w, parts.line)
  world.touch(w, parts.item)
end

local function reservation_head(name, number) -- all but the last three digits, framed; for numbers from 1000
  local thousands = name .. (number - number % 1000) / 1000
  return codec.pack_string("reservation") .. HEAD[#thousands + 3] .. thousands
end

--[[ Claims as long as they are plain: same template, viewer without a record, enough stock. Returns how many.
  Written for the interpreter: locals instead of fields, no lengths asked, and no new string but the record; what else
  goes out is pushed as pieces of old strings. Lua interns every string, and that was half of the time of a call. ]]
local function fast_run(w, parts, which, flat, extra, chats, from, count)
  local item, show, quantity = parts.item, parts.show, parts.line.quantity
  local available, number = item.available, item.next
  local strings, sets, claims, line = show.strings, show.sets, show.claims, item.line
  local sets_count, claims_count, line_count = show.sets_count, show.pieces, item.line_count
  local event_head, record_tail, name = parts.event_head, parts.record_tail, parts.name
  local number_high, available_high, number_bytes, number_text, available_bytes, reservation = -1, -1, "", "", "", nil
  local index = from
  while index <= count and available >= quantity and flat[index * 3 - 2] == which do
    local id, viewer = flat[index * 3 - 1], flat[index * 3]
    local id_text = extra[index] or id
    local record_head, id_head, viewer_head = RECORD_HEAD[#id], RECORD_HEAD[-#id_text], VIEWER_HEAD[#viewer]
    if strings[viewer] ~= false or not (record_head and id_head and viewer_head) then break end
    available = available - quantity
    local low, available_low = number % 256, available % 256
    if number - low ~= number_high then
      number_high = number - low
      number_bytes = string.sub(struct.pack("<I4", number), 2)
      number_text = codec.pack_string("number") .. "\206" .. string.sub(struct.pack(">I4", number), 1, 3)
    end
    if available - available_low ~= available_high then
      available_high = available - available_low
      available_bytes = string.sub(struct.pack("<I4", available), 2)
    end
    local record = record_head .. id .. BYTE[low] .. number_bytes .. BYTE[available_low] .. available_bytes
      .. record_tail
    strings[viewer] = record
    sets[sets_count + 1], sets[sets_count + 2] = viewer, record
    line[line_count + 1] = viewer
    local last = number % 1000
    if number < 1000 then
      local text = name .. number
      claims[claims_count + 8], claims[claims_count + 9] = codec.pack_string("reservation") .. HEAD[#text], text
    else
      if last == 0 or not reservation then reservation = reservation_head(name, number) end
      claims[claims_count + 8], claims[claims_count + 9] = reservation, DIGITS[last]
    end
    claims[claims_count + 1], claims[claims_count + 2], claims[claims_count + 3] = event_head, id_head, id_text
    claims[claims_count + 4], claims[claims_count + 5] = viewer_head, viewer
    claims[claims_count + 6], claims[claims_count + 7] = number_text, BYTE[low]
    if chats and chats[index] ~= "" then world.chat(show, chats[index]) end
    sets_count, claims_count, line_count = sets_count + 2, claims_count + 9, line_count + 1
    number, index = number + 1, index + 1
  end
  local made = index - from
  show.sets_count, show.pieces, item.line_count = sets_count, claims_count, line_count
  show.claims_count = show.claims_count + made
  item.held, item.available, item.next = item.held + made * quantity, available, number
  return made
end

local function run_operations(w, templates, flat, extra, chats, count, results)
  local runs, parts_of, index, runs_count, results_count = w.runs, {}, 1, 0, 0
  while index <= count do
    local which = flat[index * 3 - 2]
    local template, made = templates[which], 0
    if template and template.fast and not w.closed then
      if parts_of[which] == nil then parts_of[which] = fast_parts(w, template) or false end
      local parts = parts_of[which]
      if parts and parts.item.entries == 0 and parts.item.available >= parts.line.quantity then
        if not parts.begun then begin_fast(w, parts) end
        local number, available = parts.item.next, parts.item.available - parts.line.quantity
        made = fast_run(w, parts, which, flat, extra, chats, index, count)
        if made > 0 then
          runs[runs_count + 1], runs[runs_count + 2], runs[runs_count + 3], runs[runs_count + 4] =
            index, made, number, available
          runs_count = runs_count + 4
        end
      end
    end
    if made == 0 then
      results[results_count + 1] = index
      local chat = chats and chats[index] or ""
      results[results_count + 2] = decide(w, template, flat[index * 3 - 1], flat[index * 3], chat)
      results_count, made = results_count + 2, 1
    end
    index = index + made
  end
end

local function write_shows(w, stock)
  for name, show in pairs(w.shows) do
    local sets = show.sets
    for _, record in ipairs(show.changed or {}) do
      sets[#sets + 1] = record.viewer
      sets[#sets + 1] = codec.pack_record(record.operations, w.item_of)
    end
    if #sets > 0 or show.fields_changed then redis.call("SADD", w.stock .. "shows", name) end
    for from = 1, #sets, WRITE_CHUNK do
      redis.call("HSET", show.key, unpack(sets, from, math.min(from + WRITE_CHUNK - 1, #sets)))
    end
    if show.fields_changed then
      for id, answer in pairs(show.fields) do redis.call("HSET", w.stock .. "ids:" .. name, id, answer) end
    end
    if #show.chats > 0 or show.claims_count > 0 or stock and show.named then
      local entry = events.entry(w, show, stock)
      local kept = math.max(200, math.min(5000, math.floor(LOG_BYTES_MAX / #entry)))
      redis.call("XADD", w.base .. "show:" .. name .. ":log", "MAXLEN", "~", kept, "*", "e", entry)
    end
  end
end

-- Appends the viewers of new claims to the item's line; the last field may have room for some.
local function write_line(w, item)
  local key, count, from, sets = w.stock .. "line:" .. item.name, item.line_count, 1, {}
  local before = item.next - count - 1
  while from <= count do
    local place, chunk = before % LINE_CHUNK, math.floor(before / LINE_CHUNK)
    local upto = math.min(from + LINE_CHUNK - place - 1, count)
    local viewers = table.concat(item.line, ",", from, upto)
    if place > 0 then viewers = redis.call("HGET", key, chunk) .. "," .. viewers end
    sets[#sets + 1], sets[#sets + 2] = chunk, viewers
    before, from = before + upto - from + 1, upto + 1
  end
  redis.call("HSET", key, unpack(sets))
end

local function write_items(w)
  local sets = { "#now", w.now }
  if w.closed_changed then sets[3], sets[4] = "#closed", w.closed and "1" or "0" end
  for index = 1, #w.changed_items do
    local item = w.changed_items[index]
    sets[#sets + 1], sets[#sets + 2] = item.name, codec.pack_item(item)
    if item.line_count > 0 then write_line(w, item) end
    for from = 1, #item.joined do
      redis.call("ZADD", w.stock .. "wait:" .. item.name, string.match(item.joined[from], "^%d+"), item.joined[from])
    end
    for from = 1, #item.left, WRITE_CHUNK do
      redis.call("ZREM", w.stock .. "wait:" .. item.name,
        unpack(item.left, from, math.min(from + WRITE_CHUNK - 1, #item.left)))
    end
  end
  redis.call("HSET", w.items_key, unpack(sets))
end

local function write_all(w, templates_bytes, flat_bytes)
  for _, record in pairs(w.records) do
    if record.changed then
      local show = world.show(w, record.show)
      show.changed = show.changed or {}
      table.insert(show.changed, record)
    end
  end
  local offers = {}
  for key, bytes in pairs(w.offers) do
    offers[#offers + 1], offers[#offers + 2] = key, bytes
    w.effects[#w.effects + 1] = { "f", key, bytes }
  end
  if #offers > 0 then redis.call("HSET", w.stock .. "offers", unpack(offers)) end
  write_items(w)
  write_shows(w, events.stock(w))
  local id = ledger.append(w, { templates_bytes = templates_bytes, flat_bytes = flat_bytes })
  for deadline in pairs(w.deadlines) do
    redis.call("ZADD", w.stock .. "due", deadline, string.format("%s:%d", id, deadline))
  end
  for from = 1, #w.due_done, WRITE_CHUNK do
    redis.call("ZREM", w.stock .. "due", unpack(w.due_done, from, math.min(from + WRITE_CHUNK - 1, #w.due_done)))
  end
  return id
end

local function unpacked(bytes)
  local fine, value = pcall(cmsgpack.unpack, bytes)
  return fine and type(value) == "table" and value or nil
end

-- Start of every call: the fence, the clock that never runs backwards, the items wanted.
local function open_world(keys, arguments, names)
  local time = redis.call("TIME")
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local found = redis.call("HMGET", keys[1], "#fence", "#closed", "#now")
  if arguments[1] ~= "" and found[1] ~= arguments[1] then
    if found[1] then return nil end
    redis.call("HSET", keys[1], "#fence", arguments[1])
  end
  local w = world.new(keys[1], math.max(now, tonumber(found[3] or "0")), tonumber(arguments[6]) or 300)
  w.closed = found[2] == "1"
  w.item_of = function(offer) return world.offer(w, offer).item end
  world.load_items(w, names)
  return w
end

local function run(keys, arguments)
  if not BYTE[0] then prepare() end
  local templates, names = parse_templates(arguments[2])
  local flat, extra = unpacked(arguments[3]), unpacked(arguments[4])
  local chats = arguments[5] ~= "" and unpacked(arguments[5]) or nil
  if not templates or not flat or not extra or #flat % 3 ~= 0 then
    return redis.error_reply("INPUT the batch is not of the expected form")
  end
  local count = #flat / 3
  if count > OPERATIONS_MAX then return redis.error_reply("INPUT a batch has at most 1000 operations") end
  local w = open_world(keys, arguments, names)
  if not w then return redis.error_reply("FENCED the shop waits for its ledger to be compared") end
  ledger.expire_due(w)
  read_records(w, templates, flat, count)
  local results = {}
  run_operations(w, templates, flat, extra, chats, count, results)
  local id = ""
  if #w.runs > 0 or #w.effects > 0 or #w.due_done > 0 then id = write_all(w, arguments[2], arguments[3]) end
  return cmsgpack.pack({ w.now, w.more, w.runs, results, id })
end

-- The fence moves to the server that has been compared; KEYS[1] items, ARGV: fence seen, new fence.
local function fence(keys, arguments)
  local found = redis.call("HGET", keys[1], "#fence") or ""
  if found ~= arguments[1] then return redis.error_reply("FENCED somebody else moved it") end
  redis.call("HSET", keys[1], "#fence", arguments[2])
  redis.call("HINCRBY", keys[1], "#epoch", 1)
  return redis.status_reply("OK")
end

redis.register_function("FUNCTION_NAME", run)
redis.register_function("FUNCTION_NAME_fence", fence)
