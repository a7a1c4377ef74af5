-- What each operation does, on tables only. Every rule returns an outcome number and the lines of its answer.

local rules = {}

local WAITLIST_MAX = 10000 -- entries in line for one item; who is behind so many will hardly be served

-- One line of an answer about a claim as it is now.
local function line_of(outcome, claim, item)
  local active = world.active(claim)
  local counted = active or claim.state == CONFIRMED
  return { outcome = outcome, number = claim.number, reserved = counted and claim.held or 0,
    waiting = active and claim.waiting or 0, position = claim.position or 0,
    deadline = active and claim.held > 0 and claim.deadline or 0, available = item.available, item = item.name }
end

local function refused(outcome, name, item)
  return { outcome = outcome, number = 0, reserved = 0, waiting = 0, position = 0, deadline = 0,
    available = item and item.available or 0, item = name }
end

local function set_deadline(w, claim, deadline)
  claim.deadline = deadline
  w.deadlines[deadline] = true
end

-- Waiting units are served from the front, strictly: who wants more than there is keeps the rest of the line waiting.
function rules.promote(w, item)
  if w.closed then return end
  while item.available > 0 and item.closed == 0 and item.entries > 0 do
    if w.work_left <= 0 then
      w.more = true
      return
    end
    local claim = world.head(w, item)
    if not claim then return end
    local granted = math.min(item.available, claim.waiting)
    if claim.flags % 2 == WHOLE and granted < claim.waiting then return end
    item.available, item.held, item.waiting = item.available - granted, item.held + granted, item.waiting - granted
    world.touch(w, item)
    local until_ms = w.now + w.offer_seconds * 1000
    set_deadline(w, claim, claim.held > 0 and math.max(claim.deadline, until_ms) or until_ms)
    claim.held, claim.waiting = claim.held + granted, claim.waiting - granted
    if claim.state == WAITING then claim.state = OFFERED end
    if claim.waiting == 0 then world.leave(item, claim) end
    w.work_left = w.work_left - 1
    events.changed(w, claim, "promote", claim.operation.id, claim.waiting > 0 and OUTCOME.partly or OUTCOME.reserved)
  end
end

-- Ends an active claim: held units go back, or become sold; waiting units leave the line.
function rules.finish(w, claim, state)
  local item = world.item(w, claim.item)
  if claim.waiting > 0 then
    item.waiting = item.waiting - claim.waiting
    world.leave(item, claim)
  end
  item.held = item.held - claim.held
  if state == CONFIRMED then
    item.sold, claim.waiting = item.sold + claim.held, 0
  else
    item.available = item.available + claim.held
  end
  claim.state = state
  world.touch(w, item)
  return item
end

-- Gives back up to `quantity` units of an active claim, waiting ones first; returns how many.
local function give_back(w, item, claim, quantity)
  local waiting = math.min(claim.waiting, quantity)
  local held = math.min(claim.held, quantity - waiting)
  if waiting + held == claim.waiting + claim.held then
    rules.finish(w, claim, CANCELLED)
    return waiting + held
  end
  if waiting > 0 then
    if waiting == claim.waiting then world.leave(item, claim) end
    claim.waiting, item.waiting = claim.waiting - waiting, item.waiting - waiting
  end
  claim.held, item.held, item.available = claim.held - held, item.held - held, item.available + held
  world.touch(w, item)
  return waiting + held
end

-- The viewer's claims in the show that `filter` accepts, newest first.
local function claims_of(record, filter)
  local found = {}
  for index = #record.operations, 1, -1 do
    local claims = record.operations[index].claims
    for number = #claims, 1, -1 do
      if filter(claims[number]) then found[#found + 1] = claims[number] end
    end
  end
  return found
end

-- Units of the viewer: active and all (with confirmed) of the item and of the show.
local function count(record, item_name)
  local totals = { item_active = 0, item_all = 0, show_active = 0, show_all = 0 }
  for index = 1, #record.operations do
    local claims = record.operations[index].claims
    for number = 1, #claims do
      local claim = claims[number]
      local active, units = world.active(claim), claim.held + claim.waiting
      if active or claim.state == CONFIRMED then
        totals.show_all = totals.show_all + units
        if active then totals.show_active = totals.show_active + units end
        if claim.item == item_name then
          totals.item_all = totals.item_all + units
          if active then totals.item_active = totals.item_active + units end
        end
      end
    end
  end
  return totals
end

local function over_limit(template, totals, wanted_item, wanted_show)
  return template.per_item > 0 and totals.item_all + wanted_item > template.per_item
    or template.per_show > 0 and totals.show_all + wanted_show > template.per_show
    or template.hold_max > 0 and totals.show_active + wanted_show > template.hold_max
end

-- How a line would go, after the lines planned before it in `sofar` (units by item, taken by item, units of the show).
local function plan_line(w, template, record, line, sofar)
  local item = world.item(w, line.item)
  if not item then return { outcome = OUTCOME.item_unknown } end
  if w.closed or item.closed == 1 then return { outcome = OUTCOME.sales_closed, item = item } end
  local totals, before = count(record, line.item), sofar.units[line.item] or 0
  local want = line.quantity
  if template.repeat_policy == 2 and totals.item_all + before > 0 then
    return { outcome = OUTCOME.already_claimed, item = item }
  end
  if template.repeat_policy == 1 then
    local seen = sofar.seen[line.item] -- two totals for one item in one comment: the first one is meant
    sofar.seen[line.item] = true
    if seen or totals.item_active == want then return { outcome = OUTCOME.unchanged, item = item } end
    if totals.item_active > want then
      return { outcome = OUTCOME.reduced, item = item, reduce = totals.item_active - want }
    end
    want = want - totals.item_active
  end
  if over_limit(template, totals, before + want, sofar.show + want) then
    return { outcome = OUTCOME.over_limit, item = item }
  end
  local entries = item.entries + (sofar.joined[line.item] or 0)
  local free = entries == 0 and item.available - (sofar.taken[line.item] or 0) or 0
  local grant = math.min(free, want)
  if template.fill_all and grant < want then grant = 0 end
  local wait = 0
  if template.waitlist and (not template.fill_all or #template.lines == 1) and entries < WAITLIST_MAX then
    wait = want - grant
  end
  local outcome = grant == want and RESERVED or grant > 0 and OUTCOME.partly or wait > 0 and OUTCOME.waiting
    or OUTCOME.sold_out
  if grant + wait > 0 then
    sofar.units[line.item], sofar.show = before + grant + wait, sofar.show + grant + wait
    sofar.taken[line.item] = (sofar.taken[line.item] or 0) + grant
    if wait > 0 then sofar.joined[line.item] = (sofar.joined[line.item] or 0) + 1 end
  end
  return { outcome = outcome, item = item, grant = grant, wait = wait }
end

-- A new claim with the next number in line.
local function make_claim(w, operation, line, item, grant, wait, hold_seconds, whole)
  local claim = { offer = line.offer, item = line.item, number = item.next, state = grant > 0 and HELD or WAITING,
    held = grant, waiting = wait, flags = whole and WHOLE or 0, deadline = 0, hold = hold_seconds,
    operation = operation, record = operation.record }
  if grant > 0 then set_deadline(w, claim, w.now + hold_seconds * 1000) end
  item.next = item.next + 1
  item.line_count = item.line_count + 1
  item.line[item.line_count] = operation.record.viewer
  item.available, item.held, item.waiting = item.available - grant, item.held + grant, item.waiting + wait
  if wait > 0 then
    world.join(item, claim)
    claim.position = item.entries
  end
  operation.claims[#operation.claims + 1] = claim
  world.touch(w, item)
  events.offer(w, line)
  return claim
end

local function apply_plan(w, template, record, operation, line, plan)
  if plan.reduce then
    local left, last = plan.reduce, nil
    for _, claim in ipairs(claims_of(record, function(c) return c.item == line.item and world.active(c) end)) do
      if left == 0 then break end
      left, last = left - give_back(w, plan.item, claim, left), claim
      events.changed(w, claim, "reserve", operation.id, OUTCOME.reduced)
    end
    rules.promote(w, plan.item)
    return line_of(plan.outcome, last, plan.item)
  end
  if (plan.grant or 0) + (plan.wait or 0) == 0 then return refused(plan.outcome, line.item, plan.item) end
  local claim = make_claim(w, operation, line, plan.item, plan.grant, plan.wait, template.seconds,
    template.fill_all and plan.wait > 0)
  events.changed(w, claim, "reserve", operation.id, plan.outcome)
  local answer = line_of(plan.outcome, claim, plan.item)
  claim.position = nil -- true at joining only; later changes do not repeat it
  return answer
end

-- Outcome of several lines: the common one; else `partly` when anything is held, `waiting` when anything waits.
local function summary(lines)
  local first, held, waits, same = lines[1].outcome, false, false, true
  for _, line in ipairs(lines) do
    same, held, waits = same and line.outcome == first, held or line.reserved > 0, waits or line.waiting > 0
  end
  return same and first or held and OUTCOME.partly or waits and OUTCOME.waiting or first
end

-- A set is had whole or not at all: the first line that fails names the outcome, the others stay as they were.
local function set_fails(template, plans)
  if not template.fill_all or #template.lines == 1 then return nil end
  for _, plan in ipairs(plans) do
    local outcome = plan.outcome
    if outcome ~= RESERVED and outcome ~= OUTCOME.reduced and outcome ~= OUTCOME.unchanged then return outcome end
  end
end

function rules.reserve(w, template, record, operation)
  local wanted, lines, plans = 0, {}, {}
  for _, line in ipairs(template.lines) do wanted = wanted + line.quantity end
  if template.per_comment > 0 and wanted > template.per_comment then
    for index, line in ipairs(template.lines) do
      lines[index] = refused(OUTCOME.over_limit, line.item, world.item(w, line.item))
    end
    return OUTCOME.over_limit, lines
  end
  local sofar = { units = {}, seen = {}, taken = {}, joined = {}, show = 0 }
  for index, line in ipairs(template.lines) do plans[index] = plan_line(w, template, record, line, sofar) end
  local failed = set_fails(template, plans)
  if failed then
    for index, line in ipairs(template.lines) do
      local outcome = plans[index].outcome
      if outcome == RESERVED or outcome == OUTCOME.reduced then outcome = OUTCOME.unchanged end
      lines[index] = refused(outcome, line.item, plans[index].item)
    end
    return failed, lines
  end
  for index, line in ipairs(template.lines) do
    lines[index] = apply_plan(w, template, record, operation, line, plans[index])
  end
  return summary(lines), lines
end
