-- What each operation does, on tables only. Every rule returns an outcome number and the lines of its answer.

local rules = {}

local HOLD_MS_MAX = 2592000000 -- 30 days, as in stock/settings.py
local WAITLIST_MAX = 10000 -- entries in line for one item; who is behind so many will hardly be served

-- One line of an answer about a claim as it is now.
local function line_of(outcome, claim, item)
  local active = world.active(claim)
  local counted = active or claim.state == CONFIRMED
  return { outcome = outcome, number = claim.number, reserved = counted and claim.held or 0,
    waiting = active and claim.waiting or 0, position = claim.position or 0,
    deadline = active and claim.held > 0 and claim.deadline or 0, available = item.available, item = item.name }
end

-- `over` (kind, limit, had) says which limit refused, where one did.
local function refused(outcome, name, item, over)
  return { outcome = outcome, number = 0, reserved = 0, waiting = 0, position = 0, deadline = 0,
    available = item and item.available or 0, item = name, over = over }
end

-- The deadline a claim keeps when it is given more time. One that no rule could have set is of a clock that was wrong.
local function kept_deadline(w, claim)
  return claim.deadline <= w.now + HOLD_MS_MAX and claim.deadline or 0
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
    set_deadline(w, claim, claim.held > 0 and math.max(kept_deadline(w, claim), until_ms) or until_ms)
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
  world.count(claim, -1)
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
  world.count(claim, 1)
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
  world.count(claim, -1)
  if waiting > 0 then
    if waiting == claim.waiting then world.leave(item, claim) end
    claim.waiting, item.waiting = claim.waiting - waiting, item.waiting - waiting
  end
  claim.held, item.held, item.available = claim.held - held, item.held - held, item.available + held
  world.count(claim, 1)
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

local OF_PRODUCT, OF_SHOW, OF_COMMENT, OF_UNPAID = 1, 2, 3, 4 -- kinds of limits, as in LIMIT_KINDS of outcomes.py

-- Only what adds pieces can be over a limit: who is past one that was lowered may still swap or give back.
local function past(kind, limit, had, more)
  if limit > 0 and more > 0 and had + more > limit then return { kind = kind, limit = limit, had = had } end
end

-- What the lines before it have planned. A comment of one line, which nearly all are, has no `sofar`: its tables would
-- cost more than the rest of a refusal.
local function earlier(sofar, what, name) return sofar and sofar[what][name] or 0 end

-- Which limit forbids so many more pieces of a product (whose limit is `limit`) and of the show, or nil.
local function over_limit(template, record, sofar, product, limit, more_of_product, more_of_show)
  local has, planned = record.has, sofar and sofar.show or 0
  return past(OF_PRODUCT, limit, (has.product_all[product] or 0) + earlier(sofar, "products", product), more_of_product)
    or past(OF_SHOW, template.per_show, has.show_all + planned, more_of_show)
    or past(OF_UNPAID, template.hold_max, has.show_active + planned, more_of_show)
end

-- Pieces planned (or, negative, given back) by the lines so far, which later lines of the comment must count.
local function plan_units(sofar, line, units)
  if not sofar then return end
  sofar.products[line.product] = (sofar.products[line.product] or 0) + units
  sofar.show = sofar.show + units
end

-- How a line would go, after the lines planned before it in `sofar`.
local function plan_line(w, template, record, line, sofar)
  local item = world.item(w, line.item)
  if not item then return { outcome = OUTCOME.item_unknown } end
  if w.closed or item.closed == 1 then return { outcome = OUTCOME.sales_closed, item = item } end
  local has, before, want = record.has, earlier(sofar, "units", line.item), line.quantity
  if template.repeat_policy == 2 and (has.item_all[line.item] or 0) + before > 0 then
    return { outcome = OUTCOME.already_claimed, item = item }
  end
  if template.repeat_policy == 1 then
    local seen, active = sofar and sofar.seen[line.item], has.item_active[line.item] or 0
    if sofar then sofar.seen[line.item] = true end -- two totals for one item in one comment: the first one is meant
    if seen or active == want then return { outcome = OUTCOME.unchanged, item = item } end
    if active > want then
      plan_units(sofar, line, want - active)
      return { outcome = OUTCOME.reduced, item = item, reduce = active - want }
    end
    want = want - active
  end
  local over = over_limit(template, record, sofar, line.product, line.limit, want, want)
  if over then return { outcome = OUTCOME.over_limit, item = item, over = over } end
  local entries = item.entries + earlier(sofar, "joined", line.item)
  local free = entries == 0 and item.available - earlier(sofar, "taken", line.item) or 0
  local grant = math.min(free, want)
  if template.fill_all and grant < want then grant = 0 end
  local wait = 0
  if template.waitlist and (not template.fill_all or #template.lines == 1) and entries < WAITLIST_MAX then
    wait = want - grant
  end
  local outcome = grant == want and RESERVED or grant > 0 and OUTCOME.partly or wait > 0 and OUTCOME.waiting
    or OUTCOME.sold_out
  if sofar and grant + wait > 0 then
    sofar.units[line.item] = before + grant + wait
    plan_units(sofar, line, grant + wait)
    sofar.taken[line.item] = (sofar.taken[line.item] or 0) + grant
    if wait > 0 then sofar.joined[line.item] = (sofar.joined[line.item] or 0) + 1 end
  end
  return { outcome = outcome, item = item, grant = grant, wait = wait }
end

-- A new claim with the next number in line.
local function make_claim(w, operation, line, item, grant, wait, hold_seconds, whole)
  local claim = { offer = line.offer, item = line.item, product = line.product, number = item.next,
    state = grant > 0 and HELD or WAITING, held = grant, waiting = wait, flags = whole and WHOLE or 0, deadline = 0,
    hold = hold_seconds, operation = operation, record = operation.record }
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
  world.count(claim, 1)
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
  if (plan.grant or 0) + (plan.wait or 0) == 0 then
    return refused(plan.outcome, line.item, plan.item, plan.over)
  end
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
      local over = { kind = OF_COMMENT, limit = template.per_comment, had = 0 }
      lines[index] = refused(OUTCOME.over_limit, line.item, world.item(w, line.item), over)
    end
    return OUTCOME.over_limit, lines
  end
  local sofar = #template.lines > 1 and { units = {}, seen = {}, taken = {}, joined = {}, products = {}, show = 0 }
  for index, line in ipairs(template.lines) do plans[index] = plan_line(w, template, record, line, sofar) end
  local failed = set_fails(template, plans)
  if failed then
    for index, line in ipairs(template.lines) do
      local outcome = plans[index].outcome
      if outcome == RESERVED or outcome == OUTCOME.reduced then outcome = OUTCOME.unchanged end
      lines[index] = refused(outcome, line.item, plans[index].item, plans[index].over)
    end
    return failed, lines
  end
  for index, line in ipairs(template.lines) do
    lines[index] = apply_plan(w, template, record, operation, line, plans[index])
  end
  return summary(lines), lines
end
