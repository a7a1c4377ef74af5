-- Operations on claims that exist. The claim must be the viewer's own, unless staff (viewer "") ask.

local NOT_FOUND = {}

-- The claim an operation names: claim, item; or nil and the outcome and lines of the refusal.
local function named_claim(w, template, viewer)
  local claim, owner = world.find(w, template.show, template.reservation)
  if not claim then return nil, OUTCOME.reservation_unknown, NOT_FOUND end
  if viewer ~= "" and owner ~= viewer then return nil, OUTCOME.not_yours, NOT_FOUND end
  return claim, world.item(w, claim.item)
end

local function one(outcome, claim, item, over)
  local line = line_of(outcome, claim, item)
  line.over = over
  return outcome, { line }
end

-- Records a change of a claim, serves the line with what was freed, and gives the answer.
local function done(w, outcome, claim, item, operation, label)
  events.changed(w, claim, label, operation.id, outcome)
  local answer = line_of(outcome, claim, item)
  rules.promote(w, item)
  answer.available = item.available
  return outcome, { answer }
end

local function active_on(item_name)
  return function(claim) return world.active(claim) and (item_name == "" or claim.item == item_name) end
end

local function cancel_all(w, template, record, operation)
  local lines, items = {}, {}
  for index, claim in ipairs(claims_of(record, active_on(template.item))) do
    local item = rules.finish(w, claim, CANCELLED)
    events.changed(w, claim, "cancel", operation.id, OUTCOME.cancelled)
    lines[index], items[index] = line_of(OUTCOME.cancelled, claim, item), item
  end
  for index, item in ipairs(items) do
    rules.promote(w, item)
    lines[index].available = item.available
  end
  return #lines > 0 and OUTCOME.cancelled or OUTCOME.unchanged, lines
end

function rules.cancel(w, template, record, operation, viewer)
  if template.reservation == "" then
    if viewer == "" then return OUTCOME.input_bad, NOT_FOUND end
    return cancel_all(w, template, record, operation)
  end
  local claim, item, lines = named_claim(w, template, viewer)
  if not claim then return item, lines end
  if not world.active(claim) then return one(OUTCOME.not_active, claim, item) end
  rules.finish(w, claim, CANCELLED)
  return done(w, OUTCOME.cancelled, claim, item, operation, "cancel")
end

local function reduce_item(w, template, record, operation)
  local left, lines, item, rest = template.quantity, {}, world.item(w, template.item), 0
  if not item then return OUTCOME.item_unknown, NOT_FOUND end
  for _, claim in ipairs(claims_of(record, active_on(template.item))) do
    if left > 0 then
      left = left - give_back(w, item, claim, left)
      local outcome = world.active(claim) and OUTCOME.reduced or OUTCOME.cancelled
      events.changed(w, claim, "reduce", operation.id, outcome)
      lines[#lines + 1] = line_of(outcome, claim, item)
    end
    if world.active(claim) then rest = rest + 1 end
  end
  rules.promote(w, item)
  for _, line in ipairs(lines) do line.available = item.available end
  return #lines == 0 and OUTCOME.unchanged or rest > 0 and OUTCOME.reduced or OUTCOME.cancelled, lines
end

function rules.reduce(w, template, record, operation, viewer)
  if template.reservation == "" then
    if viewer == "" or template.item == "" then return OUTCOME.input_bad, NOT_FOUND end
    return reduce_item(w, template, record, operation)
  end
  local claim, item, lines = named_claim(w, template, viewer)
  if not claim then return item, lines end
  if not world.active(claim) then return one(OUTCOME.not_active, claim, item) end
  give_back(w, item, claim, template.quantity)
  local outcome = world.active(claim) and OUTCOME.reduced or OUTCOME.cancelled
  return done(w, outcome, claim, item, operation, "reduce")
end

-- Brings a claim to `quantity`: nil when done, else the outcome that refuses (and the limit, if it was one).
-- Growth is had in full, behind nobody.
local function resize(w, template, claim, item, quantity, limit)
  local more = quantity - claim.held - claim.waiting
  if more <= 0 then
    if more < 0 then give_back(w, item, claim, -more) end
    return nil
  end
  if w.closed or item.closed == 1 then return OUTCOME.sales_closed end
  local over = over_limit(template, claim.record, nil, claim.product, limit, more, more)
  if over then return OUTCOME.over_limit, over end
  if item.entries > 0 or item.available < more then return OUTCOME.sold_out end
  world.count(claim, -1)
  claim.held, item.held, item.available = claim.held + more, item.held + more, item.available - more
  world.count(claim, 1)
  world.touch(w, item)
  return nil
end

function rules.set(w, template, _, operation, viewer)
  local claim, item, lines = named_claim(w, template, viewer)
  if not claim then return item, lines end
  if not world.active(claim) then return one(OUTCOME.not_active, claim, item) end
  if claim.held + claim.waiting == template.quantity then return one(OUTCOME.unchanged, claim, item) end
  local failed, over = resize(w, template, claim, item, template.quantity, template.limit)
  if failed then return one(failed, claim, item, over) end
  return done(w, OUTCOME.changed, claim, item, operation, "set")
end

-- Other item: the new units first, and only then are the old ones given up.
local function swap_item(w, template, claim, old, line, operation)
  local item = world.item(w, line.item)
  if not item then return OUTCOME.item_unknown, { line_of(OUTCOME.item_unknown, claim, old) } end
  if w.closed or item.closed == 1 then return one(OUTCOME.sales_closed, claim, old) end
  local more = line.quantity - claim.held - claim.waiting
  local more_of_product = line.product == claim.product and more or line.quantity
  local over = over_limit(template, claim.record, nil, line.product, line.limit, more_of_product, more)
  if over then return one(OUTCOME.over_limit, claim, old, over) end
  if item.entries > 0 or item.available < line.quantity then return one(OUTCOME.sold_out, claim, old) end
  operation.record = claim.record
  local new = make_claim(w, operation, line, item, line.quantity, 0, template.seconds, false)
  events.changed(w, new, "swap", operation.id, RESERVED)
  rules.finish(w, claim, CANCELLED)
  local _, lines = done(w, OUTCOME.cancelled, claim, old, operation, "swap")
  lines[2] = line_of(RESERVED, new, item)
  return OUTCOME.swapped, lines
end

function rules.swap(w, template, _, operation, viewer)
  local claim, item, lines = named_claim(w, template, viewer)
  if not claim then return item, lines end
  if not world.active(claim) then return one(OUTCOME.not_active, claim, item) end
  local line = template.lines[1]
  if line.item ~= claim.item then return swap_item(w, template, claim, item, line, operation) end
  local failed, over = resize(w, template, claim, item, line.quantity, line.limit)
  if failed then return one(failed, claim, item, over) end
  events.offer(w, line)
  claim.offer = line.offer
  return done(w, OUTCOME.swapped, claim, item, operation, "swap")
end

-- A claim keeps its price when prices rise and gets the lower one when they fall. Where the price it must have now is
-- said, it gets the other one whichever way: a cut that is taken back.
function rules.reprice(w, template, _, operation, viewer)
  local claim, item, lines = named_claim(w, template, viewer)
  if not claim then return item, lines end
  if not world.active(claim) then return one(OUTCOME.not_active, claim, item) end
  local line = template.lines[1]
  local price, before = codec.offer(line.offer, line.offer_bytes).price, world.offer(w, claim.offer).price
  local fits = price < before
  if template.expected >= 0 then fits = before == template.expected and price ~= before end
  if line.item ~= claim.item or not fits then return one(OUTCOME.unchanged, claim, item) end
  events.offer(w, line)
  claim.offer = line.offer
  return done(w, OUTCOME.changed, claim, item, operation, "reprice")
end

function rules.confirm(w, template, _, operation, viewer)
  local claim, item, lines = named_claim(w, template, viewer)
  if not claim then return item, lines end
  if claim.state == CONFIRMED then return one(OUTCOME.unchanged, claim, item) end
  if not world.active(claim) or claim.held == 0 then return one(OUTCOME.not_active, claim, item) end
  rules.finish(w, claim, CONFIRMED)
  return done(w, OUTCOME.confirmed, claim, item, operation, "confirm")
end

function rules.unconfirm(w, template, _, operation, viewer)
  local claim, item, lines = named_claim(w, template, viewer)
  if not claim then return item, lines end
  if world.active(claim) then return one(OUTCOME.unchanged, claim, item) end
  if claim.state ~= CONFIRMED then return one(OUTCOME.not_active, claim, item) end
  world.count(claim, -1)
  item.sold, item.held, claim.state = item.sold - claim.held, item.held + claim.held, HELD
  if claim.flags >= EXTENDED then claim.flags = claim.flags - EXTENDED end -- checkout begins anew
  set_deadline(w, claim, w.now + template.seconds * 1000)
  world.count(claim, 1)
  world.touch(w, item)
  return done(w, OUTCOME.changed, claim, item, operation, "unconfirm")
end

function rules.release(w, template, _, operation, viewer)
  local claim, item, lines = named_claim(w, template, viewer)
  if not claim then return item, lines end
  if claim.state == CONFIRMED then
    world.count(claim, -1) -- returned goods: they no longer count against a limit
    item.sold, item.available, claim.state = item.sold - claim.held, item.available + claim.held, RELEASED
    world.touch(w, item)
  elseif world.active(claim) then
    rules.finish(w, claim, RELEASED)
  else
    return one(OUTCOME.not_active, claim, item)
  end
  return done(w, OUTCOME.released, claim, item, operation, "release")
end

function rules.extend(w, template, _, operation, viewer)
  local claim, item, lines = named_claim(w, template, viewer)
  if not claim then return item, lines end
  if not world.active(claim) or claim.held == 0 then return one(OUTCOME.not_active, claim, item) end
  -- Who takes an offer has not been given more time yet.
  if claim.state == OFFERED then
    claim.state = HELD
  else
    if template.expected >= 0 then return one(OUTCOME.not_active, claim, item) end -- an offer was to be taken
    if claim.flags >= EXTENDED then return one(OUTCOME.already_extended, claim, item) end
    claim.flags = claim.flags + EXTENDED
  end
  set_deadline(w, claim, math.max(kept_deadline(w, claim), w.now + template.seconds * 1000))
  return done(w, OUTCOME.extended, claim, item, operation, "extend")
end

-- What is due was expired before the first operation of the call, so there is only left to say what it is.
function rules.expire(w, template, _, _, viewer)
  local claim, item, lines = named_claim(w, template, viewer)
  if not claim then return item, lines end
  if world.active(claim) then return one(OUTCOME.unchanged, claim, item) end
  return one(claim.state == EXPIRED and OUTCOME.expired or OUTCOME.not_active, claim, item)
end

local function supply(w, template, item, label, outcome, quantity)
  world.touch(w, item)
  -- in the order of SUPPLY_EFFECT
  w.effects[#w.effects + 1] = { "s", template.show, item.name, label, quantity, template.reason, template.source }
  rules.promote(w, item)
  return outcome, { refused(outcome, item.name, item) }
end

local function known_item(w, name)
  local item = world.item(w, name)
  if not item then
    item = codec.new_item(name)
    w.items[name] = item
  end
  return item
end

function rules.restock(w, template)
  local item = known_item(w, template.item)
  if item.supplied + template.quantity > SUPPLY_MAX then return OUTCOME.quantity_bad, NOT_FOUND end
  item.available, item.supplied = item.available + template.quantity, item.supplied + template.quantity
  return supply(w, template, item, "restock", OUTCOME.restocked, template.quantity)
end

function rules.adjust(w, template)
  local item = world.item(w, template.item)
  if not item then return OUTCOME.item_unknown, NOT_FOUND end
  if item.available + template.quantity < 0 then
    return OUTCOME.adjust_too_low, { refused(OUTCOME.adjust_too_low, item.name, item) }
  end
  if item.supplied + template.quantity > SUPPLY_MAX then return OUTCOME.quantity_bad, NOT_FOUND end
  item.available, item.supplied = item.available + template.quantity, item.supplied + template.quantity
  return supply(w, template, item, "adjust", OUTCOME.adjusted, template.quantity)
end

-- In the ledger it is the adjustment that it comes to: what is rebuilt from there needs no older figure.
function rules.set_available(w, template)
  local before = world.item(w, template.item)
  local available = before and before.available or 0
  if template.expected >= 0 and available ~= template.expected then
    return OUTCOME.stock_changed, { refused(OUTCOME.stock_changed, template.item, before) }
  end
  local item, more = known_item(w, template.item), template.quantity - available
  if item.supplied + more > SUPPLY_MAX then return OUTCOME.quantity_bad, NOT_FOUND end
  item.available, item.supplied = template.quantity, item.supplied + more
  return supply(w, template, item, "adjust", OUTCOME.adjusted, more)
end

-- Sale of one item, or with item "" of the whole shop; a shop that opens serves every line that had to stand still.
local function gate(w, template, closed, label, outcome)
  if template.item == "" then
    if w.closed == closed then return OUTCOME.unchanged, NOT_FOUND end
    w.closed, w.closed_changed = closed, true
    w.effects[#w.effects + 1] = { "s", template.show, "", label, 0, "", template.source }
    if not closed then
      for _, name in ipairs(redis.call("HKEYS", w.items_key)) do
        if string.sub(name, 1, 1) ~= "#" then rules.promote(w, world.item(w, name)) end
      end
    end
    return outcome, NOT_FOUND
  end
  local item = world.item(w, template.item)
  if not item then return OUTCOME.item_unknown, NOT_FOUND end
  local flag = closed and 1 or 0
  if item.closed == flag then return OUTCOME.unchanged, { refused(OUTCOME.unchanged, item.name, item) } end
  item.closed = flag
  return supply(w, template, item, label, outcome, 0)
end

function rules.close(w, template) return gate(w, template, true, "close", OUTCOME.closed) end

function rules.open(w, template) return gate(w, template, false, "open", OUTCOME.opened) end
