-- The ledger entry: the batch itself (templates and operations as they came), runs of fast claims, effects of the rest.

local ledger = {}

local VERSION = 2
local DUE_CHUNK = 16 -- entries of the deadline set read at a time; the work itself is bounded by WORK_MAX

-- Written last, when its effects are known; returns the stream id.
function ledger.append(w, batch)
  for index = 1, #w.changed_items do
    local item = w.changed_items[index]
    w.effects[#w.effects + 1] = { "i", item.name, codec.pack_item(item) }
  end
  local blob = cmsgpack.pack({ VERSION, w.now, batch.templates_bytes, batch.operations_bytes, w.runs, w.effects })
  return redis.call("XADD", w.base .. KEYS.ledger, "*", "b", blob)
end

-- (show, viewer, item, number) of every claim that got `deadline` in the entry
local function touched(entry, deadline)
  local found, blob = {}, cmsgpack.unpack(entry)
  local at, runs, effects = blob[2], blob[5], blob[6]
  if #runs > 0 then
    local templates, viewers = cmsgpack.unpack(blob[3]), cmsgpack.unpack(blob[4])[3]
    for index = 1, #runs, #RUN do
      local first, length, number = runs[index], runs[index + 1], runs[index + 2]
      local template = cmsgpack.unpack(templates[runs[index + 4]])
      if at + template[IN_TEMPLATE.seconds] * 1000 == deadline then
        local show, item = template[IN_TEMPLATE.show], template[IN_TEMPLATE.lines][IN_LINE.item]
        for offset = 0, length - 1 do
          found[#found + 1] = { show, viewers[first + offset], item, number + offset }
        end
      end
    end
  end
  for _, effect in ipairs(effects) do
    if effect[IN_CLAIM.kind] == "c" and effect[IN_CLAIM.deadline] == deadline then
      found[#found + 1] = { effect[IN_CLAIM.show], effect[IN_CLAIM.viewer], effect[IN_CLAIM.item],
        effect[IN_CLAIM.number] }
    end
  end
  return found
end

-- Reads ahead the records of many claims: one HMGET a show instead of one HGET a claim.
local function read_ahead(w, found)
  local wanted = {}
  for _, place in ipairs(found) do
    local show, viewer = world.show(w, place[1]), place[2]
    if show.strings[viewer] == nil and not w.records[place[1] .. "/" .. viewer] then
      wanted[place[1]] = wanted[place[1]] or {}
      table.insert(wanted[place[1]], viewer)
      show.strings[viewer] = false
    end
  end
  for name, viewers in pairs(wanted) do
    local show = world.show(w, name)
    for from = 1, #viewers, WRITE_CHUNK do
      local upto = math.min(from + WRITE_CHUNK - 1, #viewers)
      local read = redis.call("HMGET", show.key, unpack(viewers, from, upto))
      for index = 1, #read do show.strings[viewers[from + index - 1]] = read[index] end
    end
  end
end

-- A claim that got another deadline since stands with it in another entry.
local function expire_claims(w, found, deadline, items)
  for _, place in ipairs(found) do
    local claim = world.claim(world.record(w, place[1], place[2]), place[3], place[4])
    if claim and world.active(claim) and claim.held > 0 and claim.deadline == deadline then
      local item = rules.finish(w, claim, EXPIRED)
      events.changed(w, claim, "expire", claim.operation.id, OUTCOME.expired)
      items[#items + 1] = item
      w.work_left = w.work_left - 1
    end
  end
end

-- The clock was set back: what was due in an hour is due in an hour, so that no hold outlives its rule by the step.
-- The members keep the deadline they were told with; only when they are looked at changes. Once a step.
function ledger.set_back(w)
  local key = w.base .. KEYS.due
  local due, moved = redis.call("ZRANGE", key, 0, -1, "WITHSCORES"), {}
  for index = 1, #due, 2 do
    moved[#moved + 1], moved[#moved + 2] = string.format("%.0f", due[index + 1] - w.set_back_ms), due[index]
  end
  for from = 1, #moved, WRITE_CHUNK do
    redis.call("ZADD", key, unpack(moved, from, math.min(from + WRITE_CHUNK - 1, #moved)))
  end
  redis.call("HSET", w.items_key, FIELDS.now, w.now)
end

-- Everything whose time is over goes back before any operation looks at the stock. All of it expires before anybody is
-- promoted: a claim that is due must not live on because another one's units were offered to it.
function ledger.expire_due(w)
  local items, seen = {}, 0
  while w.work_left > 0 do
    local due = redis.call("ZRANGEBYSCORE", w.base .. KEYS.due, "-inf", w.now + w.set_back_ms, "LIMIT", seen,
      DUE_CHUNK)
    for index = 1, #due do
      if w.work_left <= 0 then break end
      local id, digits = string.match(due[index], "^([^:]+):(%d+)$")
      local deadline = tonumber(digits)
      local entry = redis.call("XRANGE", w.base .. KEYS.ledger, id, id)[1]
      if entry then
        local found = touched(entry[2][2], deadline)
        read_ahead(w, found)
        expire_claims(w, found, deadline, items)
      end
      seen = seen + 1
      w.due_done[seen] = due[index]
    end
    if #due < DUE_CHUNK then break end
  end
  if w.work_left <= 0 then w.more = true end
  for _, item in ipairs(items) do rules.promote(w, item) end
end
