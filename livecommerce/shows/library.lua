#!lua name=lc_shows
-- The atomic steps of a show. Python decides (shows/kinds/, moderation.py), these write: the state change, its
-- events, its idempotency record and its audit entry land together or not at all.
-- KEYS of every function but three are those of `Keys.all` in shows/model.py, in this order (a test compares the names).
local STATE, LOG, BUYERS, HIDDEN, TRIAGE, WORDS, AUDIT, AUDIT_ORDER, NAMES, ADDRESSES, DONE, DONE_ORDER, HELD, CLOCK, SPOKEN
  = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
local OWN = 16              -- from here on: hashes that kinds have of their own

local DONE_MAX = 20000      -- answers kept for repeats: hours of chat, and a repeat comes within minutes
local TRIAGE_MAX = 1000     -- open lines a moderator could still work off
local HELD_MAX = 1000       -- comments waiting for a moderator's word
local AUDIT_MAX = 2000
local NAMES_MAX = 50000     -- viewers with a name in one show
local SPOKEN_MAX = 50000    -- viewers of whom a line was shown
local LOG_ENTRIES_MAX = 20000
local TAIL_ENTRIES_MAX = 1024
local CLOCK_SECONDS = 20    -- the relay tells it each five; an older one says nothing about the picture

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function array_header(count)
  if count < 16 then return string.char(0x90 + count) end
  return string.char(0xdc, math.floor(count / 256), count % 256)
end

local function append(log, blobs)
  return redis.call('XADD', log, 'MAXLEN', '~', LOG_ENTRIES_MAX, '*', 'e', array_header(#blobs) .. table.concat(blobs))
end

local function remember(keys, id, answer)
  redis.call('HSET', keys[DONE], id, answer)
  if redis.call('RPUSH', keys[DONE_ORDER], id) > DONE_MAX then
    local old = redis.call('LPOP', keys[DONE_ORDER])
    if old then redis.call('HDEL', keys[DONE], old) end
  end
end

-- ARGV: show, epoch, salt, first event, then field, value pairs of the state hash.
local function create(keys, args)
  if redis.call('EXISTS', keys[STATE]) == 1 then
    return {0, redis.call('HGET', keys[STATE], 'epoch')}
  end
  redis.call('HSET', keys[STATE], 'version', '0', 'epoch', args[2], 'salt', args[3], unpack(args, 5))
  append(keys[LOG], {args[4]})
  return {1, args[2]}
end

-- ARGV: id, expected version or '', answer, writes (msgpack [[key, op, field, value, most]]), audit id, audit bytes, events.
-- Returns {"done", answer} | {"conflict"} | {"ok", offset} | {"full"} | {"gone"}.
local function commit(keys, args)
  local before = redis.call('HGET', keys[DONE], args[1])
  if before then return {'done', before} end
  local version = redis.call('HGET', keys[STATE], 'version')
  if not version then return {'gone'} end
  if args[2] ~= '' and version ~= args[2] then return {'conflict'} end
  local writes = cmsgpack.unpack(args[4])
  for _, write in ipairs(writes) do
    local most = write[5] or 0
    if most > 0 and redis.call('HLEN', keys[write[1]]) >= most and redis.call('HEXISTS', keys[write[1]], write[3]) == 0 then
      return {'full'}
    end
  end
  for _, write in ipairs(writes) do
    local key, op = keys[write[1]], write[2]
    if op == 'hset' then redis.call('HSET', key, write[3], write[4])
    elseif op == 'hdel' then redis.call('HDEL', key, write[3])
    elseif op == 'sadd' then redis.call('SADD', key, write[3])
    elseif op == 'srem' then redis.call('SREM', key, write[3])
    end
  end
  if args[5] ~= '' then
    if redis.call('HSET', keys[AUDIT], args[5], args[6]) == 1 then
      if redis.call('RPUSH', keys[AUDIT_ORDER], args[5]) > AUDIT_MAX then
        local old = redis.call('LPOP', keys[AUDIT_ORDER])
        if old then redis.call('HDEL', keys[AUDIT], old) end
      end
    end
  end
  -- What holds in whatever state the show is leaves the version: a crowd's votes must not make staff decide again.
  if args[2] ~= '' then redis.call('HINCRBY', keys[STATE], 'version', 1) end
  local offset = ''
  if args[7] then
    local blobs = {}
    for index = 7, #args do blobs[#blobs + 1] = args[index] end
    offset = append(keys[LOG], blobs)
  end
  if args[1] ~= '' then remember(keys, args[1], args[3]) end
  return {'ok', offset}
end

-- Chat lines of one show, many at once: ARGV = triples (msgpack {id, viewer, name or '', place, answer, spoke}, event, triage event).
-- place: 'log' shows it, 'shadow' shows it to its author, 'held' waits for a moderator. A triage event asks one.
-- Returns per line '' (written now) or the answer written before.
local function chat(keys, args)
  local answers, blobs = {}, {}
  if redis.call('EXISTS', keys[STATE]) == 0 then return redis.error_reply('GONE no such show') end
  for index = 1, #args, 3 do
    local line = cmsgpack.unpack(args[index])
    local before = redis.call('HGET', keys[DONE], line.id)
    if before then
      answers[#answers + 1] = before
    else
      local event, triage = args[index + 1], args[index + 2]
      if line.name ~= '' then
        if redis.call('HLEN', keys[NAMES]) < NAMES_MAX or redis.call('HEXISTS', keys[NAMES], line.viewer) == 1 then
          redis.call('HSET', keys[NAMES], line.viewer, line.name)
        end
      end
      if line.spoke and redis.call('HLEN', keys[SPOKEN]) < SPOKEN_MAX then redis.call('HSET', keys[SPOKEN], line.viewer, '') end
      if event ~= '' then blobs[#blobs + 1] = event end
      if line.place == 'held' and redis.call('HLEN', keys[HELD]) < HELD_MAX then
        redis.call('HSETNX', keys[HELD], line.id, event) -- never over a line of before, whose id is long forgotten
      end
      if triage ~= '' and redis.call('HLEN', keys[TRIAGE]) < TRIAGE_MAX
        and redis.call('HSETNX', keys[TRIAGE], line.id, triage) == 1 then
        blobs[#blobs + 1] = triage
      end
      remember(keys, line.id, line.answer)
      answers[#answers + 1] = ''
    end
  end
  if #blobs > 0 then append(keys[LOG], blobs) end
  return answers
end

-- Read only. ARGV: chat lines wanted, audit entries wanted. One moment of everything that shows own.
local function snapshot(keys, args)
  local state = redis.call('HGETALL', keys[STATE])
  if #state == 0 then return {} end
  local last = redis.call('XREVRANGE', keys[LOG], '+', '-', 'COUNT', 1)
  local offset = last[1] and last[1][1] or '0-0'
  local wanted, found, seen, upper = tonumber(args[1]), 0, 0, '+'
  local tail = {}
  while found < wanted and seen < TAIL_ENTRIES_MAX do
    local entries = redis.call('XREVRANGE', keys[LOG], upper, '-', 'COUNT', 64)
    if #entries == 0 then break end
    for _, entry in ipairs(entries) do
      seen = seen + 1
      upper = '(' .. entry[1]
      local kept = 0
      for _, event in ipairs(cmsgpack.unpack(entry[2][2])) do
        if event.t == 'chat' then kept = kept + 1 end
      end
      if kept > 0 then
        tail[#tail + 1] = entry[2][2]
        found = found + kept
      end
      if found >= wanted then break end
    end
  end
  local order = redis.call('LRANGE', keys[AUDIT_ORDER], -tonumber(args[2]), -1)
  local audit = {}
  if #order > 0 then audit = redis.call('HMGET', keys[AUDIT], unpack(order)) end
  local parts = { -- SNAPSHOT_PARTS in shows/model.py: the same names in the same order (a test compares them)
    state, offset, now_ms(), tail, redis.call('HGETALL', keys[BUYERS]), redis.call('HGETALL', keys[HIDDEN]),
    redis.call('HVALS', keys[TRIAGE]), redis.call('SMEMBERS', keys[WORDS]), audit, redis.call('HGETALL', keys[NAMES]),
    redis.call('HGETALL', keys[ADDRESSES]), redis.call('HVALS', keys[HELD]), redis.call('GET', keys[CLOCK]),
    redis.call('HGETALL', keys[SPOKEN]),
  }
  for index = OWN, #keys do parts[#parts + 1] = redis.call('HGETALL', keys[index]) end
  return parts
end

-- KEYS: clock. ARGV: the RTP timestamp of the picture that arrives now. Kept as "timestamp:milliseconds".
local function clock(keys, args)
  redis.call('SET', keys[1], args[1] .. ':' .. string.format('%.0f', now_ms()), 'EX', CLOCK_SECONDS)
  return 1
end

-- KEYS: the stream of a shop's own words. ARGV: revision that the writer has read, revision to write, words (msgpack).
-- One entry holds all words; its arrival is what running shows wait for. 1 when written, 0 when somebody was faster.
local function shop_words(keys, args)
  local last = redis.call('XREVRANGE', keys[1], '+', '-', 'COUNT', 1)
  local revision = '0'
  if last[1] then revision = last[1][2][2] end
  if revision ~= args[1] then return 0 end
  redis.call('XADD', keys[1], 'MAXLEN', 1, '*', 'r', args[2], 'w', args[3])
  return 1
end

-- KEYS: log. ARGV: the offset at which the event was true, the event. 1 when written, 0 when the log went on since.
local function append_if_at(keys, args)
  local last = redis.call('XREVRANGE', keys[1], '+', '-', 'COUNT', 1)
  if (last[1] and last[1][1] or '0-0') ~= args[1] then return 0 end
  append(keys[1], {args[2]})
  return 1
end

redis.register_function('lc_show_append', append_if_at)
redis.register_function('lc_shop_words', shop_words)
redis.register_function('lc_show_clock', clock)
redis.register_function('lc_show_create', create)
redis.register_function('lc_show_commit', commit)
redis.register_function('lc_show_chat', chat)
redis.register_function{function_name = 'lc_show_snapshot', callback = snapshot, flags = {'no-writes'}}
