-- The loop over a batch. A viewer's first claim on open, sufficient stock nobody waits for takes the short way: no tables,
-- one new string; everything else goes through `decide`.

local VIEWER_HEAD, NUMBER_HEAD, RESERVATION_HEAD

local function prepare()
  prepare_heads()
  VIEWER_HEAD, RESERVATION_HEAD = codec.pack_string("viewer"), codec.pack_string("reservation")
  NUMBER_HEAD = codec.pack_string("number") .. "\206" -- unsigned 32 bits follow
end

-- What all fast claims of a template share in this call.
local function fast_parts(w, template)
  local line = template.lines[1]
  local deadline = w.now + template.seconds * 1000
  local show = world.show(w, template.show)
  local parts = { show = show, item = world.item(w, line.item), line = line, quantity = line.quantity,
    record_head = template.digest .. struct.pack("<I6c6", w.now, line.offer),
    record_middle = struct.pack("<I2I3", line.quantity, template.seconds),
    event_head = events.constant(w, template, line, deadline), deadline = deadline, name = line.item .. "#" }
  return parts
end

local function begin_fast(w, parts)
  parts.begun = true
  w.deadlines[parts.deadline] = true
  events.offer(w, parts.line)
  world.touch(w, parts.item)
  if not parts.show.sets then parts.show.sets = {} end
end

-- Writes the claim: record, event, line. The run it belongs to is kept by the caller.
local function fast_claim(parts, item, id, id_text, viewer)
  local quantity, number, sets, claims = parts.quantity, item.next, parts.show.sets, parts.show.claims
  local available = item.available - quantity
  item.next, item.available, item.held = number + 1, available, item.held + quantity
  item.line[#item.line + 1] = viewer
  local record = "r" .. string.char(#id) .. id .. parts.record_head .. struct.pack("<I4", number) .. parts.record_middle
    .. struct.pack("<I4B", available, HELD)
  local count = #sets
  sets[count + 1], sets[count + 2] = viewer, record
  parts.show.strings[viewer] = record
  local reservation = parts.name .. number
  claims[#claims + 1] = parts.event_head .. HEAD[#id_text] .. id_text .. VIEWER_HEAD .. HEAD[#viewer] .. viewer
    .. NUMBER_HEAD .. struct.pack(">I4", number) .. RESERVATION_HEAD .. codec.pack_string(reservation)
  parts.show.claims_count = (parts.show.claims_count or 0) + 1
  return number, available
end

local function run_operations(w, templates, flat, extra, count, results)
  local runs, parts_of = w.runs, {}
  local run_template, run_length, run_at = nil, 0, 0
  for index = 1, count do
    local which, id, viewer = flat[index * 3 - 2], flat[index * 3 - 1], flat[index * 3]
    local id_text, chat = extra[index * 2 - 1], extra[index * 2]
    local template, fast = templates[which], false
    if template and template.fast and not w.closed then
      local parts = parts_of[which]
      if not parts then
        parts = world.item(w, template.lines[1].item) and fast_parts(w, template) or { show = { strings = {} } }
        parts_of[which] = parts
      end
      local item = parts.item
      if item and parts.show.strings[viewer] == false
        and item.available >= parts.quantity and item.entries == 0 and item.closed == 0 and #viewer <= 40
        and type(id) == "string" and #id <= 64 and type(id_text) == "string" and #id_text <= 64 then
        fast = true
        if not parts.begun then begin_fast(w, parts) end
        local number, available = fast_claim(parts, item, id, id_text, viewer)
        if chat ~= "" then parts.show.chats[#parts.show.chats + 1] = chat end
        if run_template == which then
          run_length = run_length + 1
          runs[run_at + 1] = run_length
        else
          run_template, run_length, run_at = which, 1, #runs + 1
          runs[run_at], runs[run_at + 1], runs[run_at + 2], runs[run_at + 3] = index, 1, number, available
        end
      end
    end
    if not fast then
      run_template = nil
      results[#results + 1] = index
      results[#results + 1] = decide(w, template, id, viewer, type(chat) == "string" and chat or "")
    end
  end
end

local function write_shows(w, stock)
  for name, show in pairs(w.shows) do
    local sets = show.sets or {}
    for _, record in ipairs(show.changed or {}) do
      sets[#sets + 1] = record.viewer
      sets[#sets + 1] = codec.pack_record(record.operations, w.item_of)
    end
    if #sets > 0 then redis.call("SADD", w.stock .. "shows", name) end
    for from = 1, #sets, WRITE_CHUNK do
      redis.call("HSET", show.key, unpack(sets, from, math.min(from + WRITE_CHUNK - 1, #sets)))
    end
    if show.fields_changed then
      for id, answer in pairs(show.fields) do redis.call("HSET", w.stock .. "ids:" .. name, id, answer) end
    end
    if #show.chats > 0 or #show.claims > 0 or stock and show.named then
      local entry = events.entry(w, show, stock)
      local kept = math.max(200, math.min(5000, math.floor(LOG_BYTES_MAX / #entry)))
      redis.call("XADD", w.base .. "show:" .. name .. ":log", "MAXLEN", "~", kept, "*", "e", entry)
    end
  end
end

local function write_items(w)
  local sets = { "#now", w.now }
  if w.closed_changed then sets[3], sets[4] = "#closed", w.closed and "1" or "0" end
  for index = 1, #w.changed_items do
    local item = w.changed_items[index]
    sets[#sets + 1], sets[#sets + 2] = item.name, codec.pack_item(item)
    for from = 1, #item.line, WRITE_CHUNK do
      redis.call("RPUSH", w.stock .. "line:" .. item.name,
        unpack(item.line, from, math.min(from + WRITE_CHUNK - 1, #item.line)))
    end
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
  local w = world.new(keys[1], math.max(now, tonumber(found[3] or "0")), tonumber(arguments[5]) or 300)
  w.closed = found[2] == "1"
  w.item_of = function(offer) return world.offer(w, offer).item end
  world.load_items(w, names)
  return w
end

local function run(keys, arguments)
  if not VIEWER_HEAD then prepare() end
  local templates, names = parse_templates(arguments[2])
  local flat, extra = unpacked(arguments[3]), unpacked(arguments[4])
  if not templates or not flat or not extra or #flat % 3 ~= 0 or #extra * 3 ~= #flat * 2 then
    return redis.error_reply("INPUT the batch is not of the expected form")
  end
  local count = #flat / 3
  if count > OPERATIONS_MAX then return redis.error_reply("INPUT a batch has at most 1000 operations") end
  local w = open_world(keys, arguments, names)
  if not w then return redis.error_reply("FENCED the shop waits for its ledger to be compared") end
  ledger.expire_due(w)
  read_records(w, templates, flat, count)
  local results = {}
  run_operations(w, templates, flat, extra, count, results)
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
