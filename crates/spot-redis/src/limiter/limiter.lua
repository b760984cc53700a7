-- The rate limiter of one application. All processes of the application ("workers") share it.
--
-- Each run processes the report of one worker (finished calls and blocks) and grants slots. The
-- state contains times in milliseconds of this server's clock. Workers send and receive only
-- durations.
--
-- KEYS: 1 the state (hash)
--       2 the slots in use; the score is the time when the slot becomes free
--       3 the slots whose call has not finished; the scores are the same
--       4 the answered calls; the score is the time when the call was sent
--       5 the answered calls; the score is the time of the answer; only while no limit is known
--       6 the workers; the score is the time of the last request
--       7 the number of this worker's last request
-- ARGV: 1 the request as JSON
--
-- A slot can be granted before it becomes free. The call may then start when the slot becomes free.
-- The member of the new call replaces the member of the previous call, so the number of members is
-- the number of slots in use at the same time.
local state_key, slots, open, sent, answered, workers, last = unpack(KEYS)
local request = cjson.decode(ARGV[1])
local window, longest = request.window, request.longest

-- MARGIN allows for the inaccuracy of Spotify's clock. A call that ended without a response may
-- still arrive at Spotify within STRAY.
local MARGIN, STRAY = 50, 1000
local LEAST, FEW, STRIKES = 4, 20, 3
local FIRST_RAMP, RAMP, LARGEST_RAMP = 8, 4, 64
local FIRST_PROBE, RAREST_PROBE = 60000, 1800000
local LONG_BLOCK, LONGEST_BLOCK, PROBE_TIME = 120000, 172800000, 5000
-- How long the learned limit and the blocks are kept if no worker sends a request.
local KEPT = 8 * 86400000

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function int(number) return string.format('%.0f', number) end

local state = {}
local fields = redis.call('HGETALL', state_key)
for i = 1, #fields, 2 do state[fields[i]] = fields[i + 1] end
local function number(name, default) return tonumber(state[name]) or default end

local resync = request.resync
-- The state was lost after the worker's last request. The worker must first send its complete
-- state.
if not resync and request.born ~= state.born then return '{"lost":true}' end
local born = state.born or (int(time[1]) .. '.' .. int(time[2]))
local limit = request.fixed or number('limit')
local learns = not request.fixed
local proven = request.fixed or number('proven', 0)
local ramp = number('ramp', FIRST_RAMP)
local braked, learned = number('braked'), number('learned')
local strikes, step = number('strikes', 0), number('step', 1)
local every, next_search, from = number('every', FIRST_PROBE), number('next'), number('from')
local interactive_at = number('interactive')
-- The number of workers before the state was lost, and the time until which this number is used.
local expected, young_until = number('expected', 0), number('young', 0)
local version = number('version', 0)
local blocks = cjson.decode(state.blocks or '{}')

redis.call('ZADD', workers, int(now), request.worker)
redis.call('ZREMRANGEBYSCORE', workers, '-inf', int(now - request.lively))
local alive = redis.call('ZCARD', workers)

redis.call('ZREMRANGEBYSCORE', slots, '-inf', int(now))
redis.call('ZREMRANGEBYSCORE', open, '-inf', int(now))
redis.call('ZREMRANGEBYSCORE', sent, '-inf', int(now - window))
redis.call('ZREMRANGEBYSCORE', answered, '-inf', int(now - window))

local function id(slot) return request.worker .. ':' .. int(slot) end

-- Removes blocks that ended long ago and were never tested by a call.
for key, block in pairs(blocks) do
  if block.till + LONGEST_BLOCK < now then
    blocks[key] = nil
    version = version + 1
  end
end

local function set_block(new)
  local till = now + math.min(new.left, LONGEST_BLOCK)
  local block = blocks[new.key]
  if not block or block.till < till then
    blocks[new.key] =
      { till = till, quota = new.quota, words = new.words, refused = new.refused_probes }
    version = version + 1
  end
end

-- A worker sends its complete state after it was disconnected or this server lost its data.
if resync then
  for _, key in ipairs({ slots, open }) do
    for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      if string.sub(member, 1, #request.worker + 1) == request.worker .. ':' then
        redis.call('ZREM', key, member)
      end
    end
  end
  for _, slot in ipairs(resync.in_flight or {}) do
    local free = int(now + window + longest)
    redis.call('ZADD', slots, free, id(slot))
    redis.call('ZADD', open, free, id(slot))
  end
  for i, left in ipairs(resync.taken or {}) do
    redis.call('ZADD', slots, int(now + left), id(resync.first + i - 1))
  end
  for _, block in ipairs(resync.blocks or {}) do set_block(block) end
  if learns and not limit and resync.limit then
    limit, proven, ramp, step = resync.limit, resync.limit, RAMP, math.max(resync.step, 1)
    every = math.max(math.min(resync.every, RAREST_PROBE), FIRST_PROBE)
    next_search = now + every
  end
  -- Until the other workers have sent their state, each worker gets only its share of the slots.
  if not state.born and resync.workers > 1 then
    expected, young_until = resync.workers, now + window
  end
end

local function seen() return redis.call('ZCARD', sent) end

-- Marks a call as finished. Returns false if the slot is unknown or its call has already finished.
local function close(slot) return redis.call('ZREM', open, id(slot)) == 1 end

local function succeeded(sent_at)
  proven = math.max(proven, seen())
  if not limit or not learns then return end
  if from then
    if seen() >= limit then
      from, next_search = nil, now + window
      step = math.min(step * 2, math.max(math.floor(limit / 4), 1))
    end
  elseif learned and sent_at <= learned then
    -- The call was in flight when the limit was learned, and Spotify accepted the call.
    limit = math.max(limit, seen())
  end
end

local function refused()
  local count = seen()
  learned = now
  if not limit and count < FEW and strikes + 1 < STRIKES then
    strikes, ramp, braked = strikes + 1, RAMP, nil
    return
  end
  if not limit then
    limit = math.max(redis.call('ZCARD', answered), LEAST)
  elseif from then
    every = math.min(every * 2, RAREST_PROBE)
    limit = math.max(from, math.min(count, math.max(from, limit - 1)))
    from = nil
  else
    every = FIRST_PROBE
    limit = math.max(math.min(count, limit - 1), math.floor(limit / 2), LEAST)
  end
  proven, step, next_search, ramp, braked = limit, 1, now + every, RAMP, nil
end

local function free_after(slot, from_time)
  local free = from_time + window + MARGIN
  if free > now then
    redis.call('ZADD', slots, int(free), id(slot))
  else
    redis.call('ZREM', slots, id(slot))
  end
end

for _, call in ipairs(request.ended or {}) do
  if close(call.slot) then
    local sent_at, ended_at = now - call.sent, now - call.ended
    if call.how == 'answered' then
      free_after(call.slot, ended_at)
      if not limit then redis.call('ZADD', answered, int(ended_at), id(call.slot)) end
      if sent_at + window > now then redis.call('ZADD', sent, int(sent_at), id(call.slot)) end
      succeeded(sent_at)
    elseif call.how == 'refused' then
      free_after(call.slot, ended_at)
      local same = learned and sent_at <= learned
      if learns and call.wait <= LONG_BLOCK and not same then refused() end
    elseif call.how == 'unknown' then
      free_after(call.slot, ended_at + STRAY)
    else
      -- The call was not sent. The previous call uses the slot until the slot becomes free.
      if call.starts > 0 then
        redis.call('ZADD', slots, int(now + call.starts), id(call.slot))
      else
        redis.call('ZREM', slots, id(call.slot))
      end
    end
  end
end

for _, change in ipairs(request.blocks or {}) do
  local block = blocks[change.key]
  if change.set then
    set_block(change.set)
  elseif block and change.answered and block.probe then
    blocks[change.key] = nil
    version = version + 1
  elseif block and change.lost and block.probe then
    block.probe = nil
    version = version + 1
  end
end

local probes = {}
for _, key in ipairs(request.probes or {}) do
  local block = blocks[key]
  if block and block.till <= now and not (block.probe and now < block.probe + PROBE_TIME) then
    block.probe = now
    version = version + 1
    probes[#probes + 1] = key
  elseif not block or block.till > now then
    -- The worker's blocks are outdated. Because the version changes, the response contains all
    -- blocks.
    version = version + 1
  end
end

local function brake()
  if not braked then
    braked = now
  elseif now - braked >= window then
    ramp, braked = math.min(ramp * 2, LARGEST_RAMP), now
  end
end

-- How long calls wait while all operations are blocked, and how many calls may be sent.
local held, most = nil, nil
local all = blocks['']
if all then
  if all.till > now then
    held = all.till - now
  else
    local probing = false
    for _, key in ipairs(probes) do probing = probing or key == '' end
    if probing then
      most = 1
    elseif all.probe and now < all.probe + PROBE_TIME then
      held = all.probe + PROBE_TIME - now
    else
      -- The worker does not know of the block yet.
      held = 0
    end
  end
end

-- Grants one slot. Returns the time until the slot is free. If no slot can be granted, returns
-- `nil` and the time after which to ask again.
local function grant(slot, bulk)
  local starts = 0
  local reserve = 0
  if not bulk then
    interactive_at = now
  elseif limit and interactive_at and now - interactive_at <= window then
    reserve = math.min(math.max(math.floor(limit / 20), 2), limit - 1)
  end
  if not limit then
    -- No refusal has shown a limit yet, so only the calls in flight are counted.
    local flying = redis.call('ZCARD', open)
    if flying >= ramp then
      brake()
      return nil, 20
    end
    if flying < ramp / 2 then braked = nil end
  else
    local used = redis.call('ZCARD', slots)
    local room = limit - reserve
    if used >= room and learns and not from and next_search and next_search <= now then
      from, ramp, braked = limit, RAMP, nil
      limit = limit + step
      room = room + step
    end
    if learns then
      local tried = proven + ramp
      if used < room and used >= tried then brake() end
      if used + ramp < proven then braked = nil end
      room = math.min(room, tried)
    end
    if now < young_until then
      room = math.max(math.floor(room * math.min(alive / expected, 1)), 1)
    end
    if used >= room then
      local before = redis.call('ZRANGE', slots, int(used - room), int(used - room), 'WITHSCORES')
      local free = tonumber(before[2])
      if redis.call('ZSCORE', open, before[1]) then
        -- This call is in flight. Its slot becomes free one window after the call was sent, or
        -- later.
        return nil, math.max(free - longest - now, 20)
      end
      redis.call('ZREM', slots, before[1])
      starts = free - now
    end
  end
  local free = int(now + starts + window + longest)
  redis.call('ZADD', slots, free, id(slot))
  redis.call('ZADD', open, free, id(slot))
  return starts
end

local granted, hints = {}, {}
-- If a request arrives twice, slots are granted only once.
local is_new = request.number > tonumber(redis.call('GET', last) or '0')
if is_new then
  redis.call('SET', last, int(request.number), 'PX', int(window + longest))
  local slot = request.first
  for _, lane in ipairs({ 'interactive', 'bulk' }) do
    for _ = 1, request[lane] or 0 do
      local starts, again = nil, held
      if not held and not (most and #granted >= most) then
        starts, again = grant(slot, lane == 'bulk')
      end
      if not starts then
        hints[lane] = again or 20
        break
      end
      granted[#granted + 1] = { slot, starts, lane }
      slot = slot + 1
    end
  end
end

local fresh = {
  'born', born, 'proven', int(proven), 'ramp', int(ramp), 'strikes', int(strikes),
  'step', int(step), 'every', int(every), 'version', int(version), 'blocks', cjson.encode(blocks),
  'expected', int(expected), 'young', int(young_until),
}
local gone = {}
local optional = {
  limit = limit, braked = braked, learned = learned, next = next_search, from = from or false,
  interactive = interactive_at,
}
for _, name in ipairs({ 'limit', 'braked', 'learned', 'next', 'from', 'interactive' }) do
  if optional[name] then
    fresh[#fresh + 1] = name
    fresh[#fresh + 1] = int(optional[name])
  elseif state[name] then
    gone[#gone + 1] = name
  end
end
redis.call('HSET', state_key, unpack(fresh))
if #gone > 0 then redis.call('HDEL', state_key, unpack(gone)) end
redis.call('PEXPIRE', state_key, int(KEPT))
for _, key in ipairs({ slots, open, sent, answered, workers }) do
  redis.call('PEXPIRE', key, int(2 * window + longest))
end

local answer = {
  born = born, workers = alive, used = redis.call('ZCARD', slots), version = version, step = step,
  every = every, granted_twice = not is_new, limit = limit, interactive = hints.interactive,
  bulk = hints.bulk,
}
-- cjson encodes an empty list as an object, so empty lists are omitted.
if #granted > 0 then answer.granted = granted end
if #probes > 0 then answer.probes = probes end
if version ~= request.version then
  local list = {}
  for key, block in pairs(blocks) do
    local probing = nil
    if block.till <= now and block.probe and now < block.probe + PROBE_TIME then
      probing = block.probe + PROBE_TIME - now
    end
    list[#list + 1] = {
      key = key, left = math.max(block.till - now, 0), quota = block.quota, words = block.words,
      refused_probes = block.refused, probing = probing,
    }
  end
  if #list > 0 then answer.blocks = list end
end
return cjson.encode(answer)
