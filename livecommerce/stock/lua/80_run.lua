-- The loop over a batch. A viewer's first claim on open, sufficient stock nobody waits for takes the short way: no
-- tables, one new string; everything else goes through `decide`.

local BYTE, RECORD_HEAD = {}, {} -- by value, by length
local RUN_RECORD_TAIL = "<c4I6c6I2I3B" -- of a short record: what all claims of a run share
local VIEWER_LENGTH_MAX = 40

local function prepare()
  prepare_heads()
  for value = 0, 255 do BYTE[value] = string.char(value) end
  for length = 1, 64 do RECORD_HEAD[length] = "r" .. string.char(length) end
end

-- What all fast claims of a template share in this call; nil where the short way is not open.
local function fast_parts(w, template)
  local line = template.lines[1]
  local item = world.item(w, line.item)
  if not item or item.closed == 1 then return nil end
  return { show = world.show(w, template.show), item = item, line = line, deadline = w.now + template.seconds * 1000,
    record_tail = struct.pack(RUN_RECORD_TAIL, template.digest, w.now, line.offer, line.quantity, template.seconds,
      HELD) }
end

local function begin_fast(w, parts)
  parts.begun = true
  w.deadlines[parts.deadline] = true
  events.offer(w, parts.line)
  world.touch(w, parts.item)
end

--[[ Claims as long as they are plain: viewer without a record, enough stock. Returns how many.
  Written for the interpreter: locals instead of fields, no lengths asked, and no new string but the record. Lua interns
  every string, and a string costs as much as the rest of the loop. ]]
local function fast_run(parts, batch, chats, from, last)
  local item, show, quantity = parts.item, parts.show, parts.line.quantity
  local ids, viewers, read = batch.ids, batch.viewers, batch.read
  local available, number = item.available, item.next
  local strings, sets, line = show.strings, show.sets, item.line
  local sets_count, line_count = show.sets_count, item.line_count
  local record_tail, record_head, byte = parts.record_tail, RECORD_HEAD, BYTE
  local number_high, number_tail = -1, ""
  local sum, index = struct.pack("<I4", (available - quantity + quantity * number) % SUM), from
  local enough = math.min(last, from - 1 + math.floor(available / quantity))
  while index <= enough do
    local id, viewer = ids[index], viewers[index]
    local head = record_head[#id]
    if read[index] or strings[viewer] or not head or #viewer > VIEWER_LENGTH_MAX or viewer == "" then break end
    local low = number % 256
    if number - low ~= number_high then
      number_high = number - low
      number_tail = string.sub(struct.pack("<I4", number), 2) .. sum .. record_tail
    end
    local record = head .. id .. byte[low] .. number_tail
    strings[viewer] = record
    sets[sets_count + 1], sets[sets_count + 2] = viewer, record
    line[line_count + 1] = viewer
    if chats and chats[index] ~= "" then world.chat(show, chats[index]) end
    sets_count, line_count = sets_count + 2, line_count + 1
    number, index = number + 1, index + 1
  end
  local made = index - from
  show.sets_count, item.line_count = sets_count, line_count
  item.held, item.available, item.next = item.held + made * quantity, available - made * quantity, number
  return made
end

-- The short way from `from` on, if it is open; returns how many operations it took.
local function try_fast(w, parts, batch, chats, which, from, last)
  local item = parts.item
  if item.entries > 0 or item.available < parts.line.quantity then return 0 end
  if not parts.begun then begin_fast(w, parts) end
  local number, available = item.next, item.available - parts.line.quantity
  local made = fast_run(parts, batch, chats, from, last)
  if made > 0 then
    local runs = w.runs -- in the order of RUN
    local at = #runs
    runs[at + 1], runs[at + 2], runs[at + 3], runs[at + 4], runs[at + 5] = from, made, number, available, which
    events.run(parts.show, from, made, number, which)
  end
  return made
end

local function run_operations(w, templates, batch, chats, results)
  local rows, parts_of, results_count, index = batch.rows, {}, 0, 1
  for row = 1, #rows, 2 do
    local which, last = rows[row], index + rows[row + 1] - 1
    local template = templates[which]
    while index <= last do
      local made = 0
      if template and template.fast and not w.closed then
        if parts_of[which] == nil then parts_of[which] = fast_parts(w, template) or false end
        local parts = parts_of[which]
        if parts then made = try_fast(w, parts, batch, chats, which, index, last) end
      end
      if made == 0 then
        world.settle(w)
        results[results_count + 1] = index
        results[results_count + 2] = decide(w, template, batch.ids[index], batch.viewers[index],
          chats and chats[index] or "")
        results_count, made = results_count + 2, 1
      end
      index = index + made
    end
  end
end

local function write_shows(w, stock, templates_bytes, operations_bytes)
  for name, show in pairs(w.shows) do
    local sets = show.sets
    for _, record in ipairs(show.changed or {}) do
      sets[#sets + 1] = record.viewer
      sets[#sets + 1] = codec.pack_record(record.operations, w.item_of)
    end
    if #sets > 0 or show.fields_changed then redis.call("SADD", w.base .. KEYS.shows, name) end
    for from = 1, #sets, WRITE_CHUNK do
      redis.call("HSET", show.key, unpack(sets, from, math.min(from + WRITE_CHUNK - 1, #sets)))
    end
    if show.fields_changed then
      for id, answer in pairs(show.fields) do redis.call("HSET", w.base .. KEYS.ids .. name, id, answer) end
    end
    if #show.chats > 0 or show.claims_count > 0 or stock and show.named then
      local entry = events.entry(w, show, stock)
      local size = #entry + (show.has_runs and #templates_bytes + #operations_bytes or 0)
      local kept = math.max(200, math.min(5000, math.floor(LOG_BYTES_MAX / size)))
      local key = w.base .. KEYS.show .. name .. KEYS.log
      if show.has_runs then
        redis.call("XADD", key, "MAXLEN", "~", kept, "*", "e", entry, "t", templates_bytes, "o", operations_bytes)
      else
        redis.call("XADD", key, "MAXLEN", "~", kept, "*", "e", entry)
      end
    end
  end
end

-- Appends the viewers of new claims to the item's line; the last field may have room for some.
local function write_line(w, item)
  local key, count, from, sets = w.base .. KEYS.line .. item.name, item.line_count, 1, {}
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
  local sets = { FIELDS.now, w.now }
  if w.closed_changed then sets[3], sets[4] = FIELDS.closed, w.closed and "1" or "0" end
  for index = 1, #w.changed_items do
    local item = w.changed_items[index]
    sets[#sets + 1], sets[#sets + 2] = item.name, codec.pack_item(item)
    if item.line_count > 0 then write_line(w, item) end
    for from = 1, #item.joined do
      redis.call("ZADD", w.base .. KEYS.wait .. item.name, string.match(item.joined[from], "^%d+"), item.joined[from])
    end
    for from = 1, #item.left, WRITE_CHUNK do
      redis.call("ZREM", w.base .. KEYS.wait .. item.name,
        unpack(item.left, from, math.min(from + WRITE_CHUNK - 1, #item.left)))
    end
  end
  redis.call("HSET", w.items_key, unpack(sets))
end

local function write_all(w, templates_bytes, operations_bytes)
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
  if #offers > 0 then redis.call("HSET", w.base .. KEYS.offers, unpack(offers)) end
  write_items(w)
  write_shows(w, events.stock(w), templates_bytes, operations_bytes)
  local id = ledger.append(w, { templates_bytes = templates_bytes, operations_bytes = operations_bytes })
  for deadline in pairs(w.deadlines) do
    redis.call("ZADD", w.base .. KEYS.due, deadline, string.format("%s:%d", id, deadline))
  end
  for from = 1, #w.due_done, WRITE_CHUNK do
    redis.call("ZREM", w.base .. KEYS.due, unpack(w.due_done, from, math.min(from + WRITE_CHUNK - 1, #w.due_done)))
  end
  return id
end

local function unpacked(bytes)
  local fine, value = pcall(cmsgpack.unpack, bytes)
  return fine and type(value) == "table" and value or nil
end

local SET_BACK_MS_MIN = 5000 -- a smaller step back is ridden out: time stands until the clock is there again

-- The time of the call, and how far the clock was set back. Of a greater step nobody knows whether the time before it
-- was wrong: were it kept, every hold would last longer by the step for as long as the clock had been ahead.
local function time_of(now, before)
  if before - now > SET_BACK_MS_MIN then return now, before - now end
  return math.max(now, before), 0
end

-- Start of every call: the fence, the time, the items wanted.
local function open_world(keys, arguments, names)
  local time = redis.call("TIME")
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local found = redis.call("HMGET", keys[1], FIELDS.fence, FIELDS.closed, FIELDS.now)
  if arguments[1] ~= "" and found[1] ~= arguments[1] then
    if found[1] then return nil end
    redis.call("HSET", keys[1], FIELDS.fence, arguments[1])
  end
  local at, set_back_ms = time_of(now, tonumber(found[3] or "0"))
  local w = world.new(keys[1], at, tonumber(arguments[5]) or 300)
  w.set_back_ms = set_back_ms
  w.closed = found[2] == "1"
  w.item_of = function(offer) return world.offer(w, offer).item end
  world.load_items(w, names)
  return w
end

-- The operations in columns, or nil where they are not of the expected form.
local function unpacked_batch(bytes)
  local columns = unpacked(bytes)
  if not columns or #columns ~= 3 then return nil end
  local rows, ids, viewers = columns[1], columns[2], columns[3]
  if type(rows) ~= "table" or type(ids) ~= "table" or type(viewers) ~= "table" then return nil end
  local count = 0
  for row = 1, #rows, 2 do
    if not whole(rows[row + 1], 1, OPERATIONS_MAX) then return nil end
    count = count + rows[row + 1]
  end
  if count ~= #ids or count ~= #viewers then return nil end
  return { rows = rows, ids = ids, viewers = viewers, count = count }
end

local function run(keys, arguments)
  if not BYTE[0] then prepare() end
  local templates, names = parse_templates(arguments[2])
  local batch = unpacked_batch(arguments[3])
  local chats = arguments[4] ~= "" and unpacked(arguments[4]) or nil
  if not templates or not batch then return redis.error_reply("INPUT the batch is not of the expected form") end
  if batch.count > OPERATIONS_MAX then return redis.error_reply("INPUT a batch has at most 1000 operations") end
  local w = open_world(keys, arguments, names)
  if not w then return redis.error_reply("FENCED the shop waits for its ledger to be compared") end
  ledger.expire_due(w)
  batch.read = read_records(w, templates, batch)
  local results = {}
  run_operations(w, templates, batch, chats, results)
  local id = ""
  if w.set_back_ms > 0 then ledger.set_back(w) end
  if #w.runs > 0 or #w.effects > 0 or #w.due_done > 0 then id = write_all(w, arguments[2], arguments[3]) end
  return cmsgpack.pack({ w.now, w.more, w.runs, results, id })
end

-- The fence moves to the server that has been compared; KEYS[1] items, ARGV: fence seen, new fence.
local function fence(keys, arguments)
  local found = redis.call("HGET", keys[1], FIELDS.fence) or ""
  if found ~= arguments[1] then return redis.error_reply("FENCED somebody else moved it") end
  redis.call("HSET", keys[1], FIELDS.fence, arguments[2])
  redis.call("HINCRBY", keys[1], FIELDS.epoch, 1)
  return redis.status_reply("OK")
end

redis.register_function("FUNCTION_NAME", run)
redis.register_function("FUNCTION_NAME_fence", fence)
