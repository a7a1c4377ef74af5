-- One call: read, expire, decide operation by operation, write everything at the end.
-- KEYS[1] lc:{shop}:stock:items (every other key shares its hash tag)
-- ARGV[1] run id of the server the caller is connected to, the fence; "" skips the check
-- ARGV[2] msgpack array of templates
-- ARGV[3] msgpack [[template, how many in a row, ...], [id, ...], [viewer, ...]]
-- ARGV[4] msgpack array of chat events, or empty
-- ARGV[5] seconds an offer from the waitlist stands
-- Answer: msgpack [at_ms, more, runs, [operation, answer] ..., ledger id or ""]

local OPERATIONS_MAX = 1000 -- a call of this size takes about 4 ms; unpack() gives up at 7,999 values
local TEMPLATES_CACHED_MAX = 1000 -- parsed templates kept between calls; they are content and never change
local LOG_BYTES_MAX = 32000000 -- of a show's log: what a reconnect may ask for; entries vary from 200 B to 300 kB
local NOT_STORED = { [OUTCOME.id_reused] = true, [OUTCOME.input_bad] = true, [OUTCOME.quantity_bad] = true,
  [OUTCOME.too_many_operations] = true }
local SHOW_LIMITS = { "per_item", "per_show", "per_comment", "hold_max" }
local LINES_MAX = 16 -- as in stock/operations.py
local templates_cached, templates_cached_count = {}, 0

local function whole(value, low, high)
  return type(value) == "number" and value >= low and value <= high and value % 1 == 0
end

local function text(value, low, high) return type(value) == "string" and #value >= low and #value <= high end

local function parse_lines(flat)
  local lines = {}
  if type(flat) ~= "table" or #flat % #LINE ~= 0 or #flat > LINES_MAX * #LINE then return nil, OUTCOME.input_bad end
  for index = 1, #flat, #LINE do
    local line = { item = flat[index], quantity = flat[index + 1], offer = flat[index + 2],
      offer_bytes = flat[index + 3] }
    if not (text(line.item, 1, 400) and text(line.offer, 6, 6) and text(line.offer_bytes, 1, 2000))
      or string.find(line.item, "#", 1, true) then return nil, OUTCOME.input_bad end
    if not whole(line.quantity, 1, QUANTITY_MAX) then return nil, OUTCOME.quantity_bad end
    line.product = codec.product_of(line.item)
    lines[#lines + 1] = line
  end
  return lines
end

local function stricter(one, other) -- of two limits; 0 is none
  return one > 0 and other > 0 and math.min(one, other) or math.max(one, other)
end

-- The limit of each line's product, which the show's limit per item may tighten; a set has no line but a limit.
local function bad_product_limits(template)
  local limits, lines = template.product_limits, template.lines
  local wanted = template.kind == "set" and 1 or #lines
  if type(limits) ~= "table" or #limits ~= wanted then return OUTCOME.input_bad end
  for index = 1, wanted do
    if not whole(limits[index], 0, SUPPLY_MAX) then return OUTCOME.input_bad end
    local limit = stricter(limits[index], template.per_item)
    if lines[index] then lines[index].limit = limit else template.limit = limit end
  end
end

-- Whether a viewer who has nothing yet may have the line; more is not asked on the short way.
local function limits_pass(template)
  local quantity = template.lines[1].quantity
  for _, limit in ipairs({ template.lines[1].limit, template.per_show, template.per_comment, template.hold_max }) do
    if limit > 0 and quantity > limit then return false end
  end
  return true
end

local function check_template(template)
  if not (text(template.kind, 1, 20) and rules[template.kind] and text(template.show, 1, 40)
    and not string.find(template.show, "/", 1, true) and text(template.source, 0, 40) and text(template.digest, 4, 4)
    and text(template.reservation, 0, 420) and text(template.item, 0, 400) and text(template.reason, 0, 1000)
    and whole(template.seconds, 0, 16777215) and whole(template.repeat_policy, 0, 2)) then return OUTCOME.input_bad end
  local expected_max = template.kind == "reprice" and PRICE_MINOR_MAX or SUPPLY_MAX
  if not whole(template.expected, -1, expected_max) then return OUTCOME.input_bad end
  for _, name in ipairs(SHOW_LIMITS) do
    if not whole(template[name], 0, SUPPLY_MAX) then return OUTCOME.input_bad end
  end
  local kind, low, high = template.kind, 0, SUPPLY_MAX
  if kind == "reduce" or kind == "set" then low, high = 1, QUANTITY_MAX
  elseif kind == "adjust" then low = -SUPPLY_MAX end
  if not whole(template.quantity, low, high) then return OUTCOME.quantity_bad end
  if (kind == "reserve" or kind == "swap") and not (template.lines[1] and template.seconds > 0) then
    return OUTCOME.input_bad
  end
  if kind == "unconfirm" and template.seconds == 0 then return OUTCOME.input_bad end
  if kind == "reprice" and not template.lines[1] then return OUTCOME.input_bad end
  if string.find(template.item, "#", 1, true) or (kind == "restock" or kind == "set_available") and template.item == "" then
    return OUTCOME.input_bad
  end
end

local NOT_PARSED = { bad = OUTCOME.input_bad }

-- A template is what many operations of a batch have in common: everything but id, viewer and chat.
local function parse_template(bytes)
  local template = templates_cached[bytes]
  if template then return template end
  local fine, parts = pcall(cmsgpack.unpack, bytes)
  if not fine or type(parts) ~= "table" or #parts ~= #TEMPLATE then return NOT_PARSED end
  template = {}
  for index = 1, #TEMPLATE do template[TEMPLATE[index]] = parts[index] end
  local bad
  template.lines, bad = parse_lines(template.lines)
  template.bad = bad or check_template(template) or bad_product_limits(template)
  if not template.bad then
    template.fast = template.kind == "reserve" and #template.lines == 1 and limits_pass(template)
  end
  if templates_cached_count >= TEMPLATES_CACHED_MAX then templates_cached, templates_cached_count = {}, 0 end
  templates_cached[bytes], templates_cached_count = template, templates_cached_count + 1
  return template
end

local function parse_templates(bytes)
  local fine, list = pcall(cmsgpack.unpack, bytes)
  if not fine or type(list) ~= "table" then return nil end
  local templates, names, seen = {}, {}, {}
  for index = 1, #list do
    local template = type(list[index]) == "string" and parse_template(list[index]) or NOT_PARSED
    templates[index] = template
    if not template.bad then
      local wanted = { template.item, string.match(template.reservation, "^(.+)#%d+$") }
      for _, line in ipairs(template.lines) do wanted[#wanted + 1] = line.item end
      for _, name in pairs(wanted) do
        if name ~= "" and not seen[name] then
          seen[name] = true
          names[#names + 1] = name
        end
      end
    end
  end
  return templates, names
end

-- The records of `places`, read with one HMGET; `read` gets them by place in the batch, false where there is none.
local function read_show(w, show, places, viewers, read)
  local wanted = {}
  for index = 1, #places do wanted[index] = viewers[places[index]] end
  if #wanted == 0 then return end
  local found = redis.call("HMGET", show.key, unpack(wanted))
  w.reads[#w.reads + 1] = { show = show, viewers = wanted, found = found }
  for index = 1, #places do read[places[index]] = found[index] end
end

-- One HMGET a show for all viewers of the batch. Returns their records by place in the batch.
local function read_records(w, templates, batch)
  local rows, viewers, count = batch.rows, batch.viewers, batch.count
  local only = templates[rows[1]]
  if #rows == 2 and only and only.fast then -- one template, as in a rush: the column of viewers is the list of fields
    local show = world.show(w, only.show)
    local found = redis.call("HMGET", show.key, unpack(viewers, 1, count))
    w.reads[1] = { show = show, viewers = viewers, found = found }
    return found
  end
  local lists, read, place = {}, {}, 0
  for row = 1, #rows, 2 do
    local template = templates[rows[row]]
    for index = place + 1, place + rows[row + 1] do
      local viewer = viewers[index]
      if template and not template.bad and type(viewer) == "string" and viewer ~= "" then
        local list = lists[template.show] or {}
        lists[template.show] = list
        list[#list + 1] = index
      end
    end
    place = place + rows[row + 1]
  end
  for name, places in pairs(lists) do read_show(w, world.show(w, name), places, viewers, read) end
  return read
end

-- The answer an operation had before, `id_reused`, or nil.
local function known(w, template, record, id, viewer)
  if viewer == "" then
    local stored = world.staff_answer(w, template.show, id)
    if not stored then return nil end
    if string.sub(stored, 1, 4) ~= template.digest then return codec.answer(OUTCOME.id_reused, w.now) end
    return string.sub(stored, 5)
  end
  for index = 1, #record.operations do
    local operation = record.operations[index]
    if operation.id == id then
      if operation.digest ~= template.digest then return codec.answer(OUTCOME.id_reused, w.now) end
      return codec.answer_of(operation, w.item_of)
    end
  end
end

-- Keeps the answer with the id: in the viewer's record, or among the show's staff operations.
local function store(w, template, operation, viewer, outcome, lines)
  local record = operation.record
  if record then
    record.operations[#record.operations + 1], record.changed = operation, true
    local claim = operation.claims[1]
    if template.kind == "reserve" and outcome == RESERVED and #lines == 1 and #operation.claims == 1 then
      operation.short, operation.at, operation.quantity = true, w.now, claim.held
      operation.available = lines[1].available
    end
  end
  if viewer == "" then
    local show = world.show(w, template.show)
    show.fields[operation.id] = template.digest .. operation.answer
    show.fields_changed = true
  end
  world.show(w, template.show).named = true
  -- in the order of ANSWER_EFFECT
  w.effects[#w.effects + 1] = { "o", template.show, record and record.viewer or "", operation.id, operation.digest,
    operation.answer, viewer == "" and 1 or 0 }
end

local function decide(w, template, id, viewer, chat)
  if not template or template.bad then return codec.answer(template and template.bad or OUTCOME.input_bad, w.now) end
  if not text(id, 1, 64) or not text(viewer, 0, 40) or viewer == "" and template.kind == "reserve" then
    return codec.answer(OUTCOME.input_bad, w.now)
  end
  local record = viewer ~= "" and world.record(w, template.show, viewer) or nil
  local before = known(w, template, record, id, viewer)
  if before then return before end
  if record and world.full(record) then return codec.answer(OUTCOME.too_many_operations, w.now) end
  local operation = { id = id, digest = template.digest, claims = {}, record = record }
  local outcome, lines = rules[template.kind](w, template, record, operation, viewer)
  operation.answer = codec.pack_answer(outcome, w.now, lines)
  if NOT_STORED[outcome] then return operation.answer end
  store(w, template, operation, viewer, outcome, lines)
  if text(chat, 1, 100000) then
    local show = world.show(w, template.show)
    world.chat(show, chat)
  end
  return operation.answer
end
