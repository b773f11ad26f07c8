#!lua flags=allow-oom
-- Leases webhooks that are due for a minute each; if their process dies, they are due again. ARGV: how many of the line
-- "slow", and of "quick", may be taken. Returns {line, lane, the job's record}, ...
--
-- A lane is one key's webhooks to one host: "<key> <host>", whatever the port. It is in the line "quick" if the host's
-- last response was quick, otherwise in "slow", as are new hosts. In a line the keys take turns, and so do each key's
-- hosts. A turn is a score: the time since which it has waited, or before which it may not be served. After being
-- served it goes to the end.
local HOLD_S, BATCH = 60, 500
local QUICK_S = 2
local KEY_TRIES, HOST_TRIES = 4, 8 -- in progress at once, in each line, whichever process sends them
local SEARCH = 32 -- lanes of one key that are checked for one that may be tried
local last = now + 1e-6 -- the turn of a key or host just served: behind those that came in at this moment

local function due_in(lane) return 'webhooks:due:' .. lane end
local function lanes_of(line, key) return 'webhooks:' .. line .. ':' .. key end

local function state_of(lane)
  local found = redis.call('HMGET', 'webhooks:host:' .. lane, 'failures', 'seconds', 'retry_at')
  local responds = found[1] == '0'
  local line = responds and tonumber(found[2]) <= QUICK_S and 'quick' or 'slow'
  return {line = line, responds = responds, retry_at = tonumber(found[3] or 0)}
end

local function enter(line, key, host)
  redis.call('ZADD', lanes_of(line, key), 'NX', now, host)
  redis.call('ZADD', 'webhooks:' .. line, 'LT', now, key)
end

-- Tries in progress: of each line's keys and hosts, and of each lane.
redis.call('ZREMRANGEBYSCORE', 'webhooks:trying', '-inf', now)
local tries = {}
local function count(line, key, host)
  for _, name in ipairs({line .. ' key ' .. key, line .. ' host ' .. host, 'lane ' .. key .. ' ' .. host}) do
    tries[name] = (tries[name] or 0) + 1
  end
end
for _, try in ipairs(redis.call('ZRANGE', 'webhooks:trying', 0, -1)) do
  count(string.match(try, '^(%S+) (%S+) (%S+) '))
end

-- Webhooks that have become due enter their lanes.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', 'webhooks', '-inf', now, 'LIMIT', 0, BATCH)) do
  redis.call('ZREM', 'webhooks', id)
  local job = redis.call('HMGET', 'job:' .. id, 'client', 'webhook', 'webhook_state')
  if job[3] == 'pending' then
    local key, host = lane_of(job[1], job[2])
    local lane = key .. ' ' .. host
    redis.call('ZADD', due_in(lane), 'NX', now, id)
    enter(state_of(lane).line, key, host)
  end
end

-- A lane's next webhook, skipping jobs that were deleted or delivered since.
local function next_in(lane)
  for _ = 1, BATCH do
    local id = redis.call('ZPOPMIN', due_in(lane))[1]
    if not id or redis.call('HGET', 'job:' .. id, 'webhook_state') == 'pending' then return id end
  end
end

local reply = {}
local function take(line, key, host)
  local lane = key .. ' ' .. host
  local id = next_in(lane)
  if not id then return false end
  redis.call('ZADD', 'webhooks', now + HOLD_S, id)
  redis.call('ZADD', 'webhooks:trying', now + HOLD_S, line .. ' ' .. lane .. ' ' .. id)
  redis.call('HINCRBY', 'job:' .. id, 'webhook_attempts', 1)
  reply[#reply + 1] = {line, lane, redis.call('HGETALL', 'job:' .. id)}
  count(line, key, host)
  return true
end

-- Takes from one lane if it may be tried; the lane goes to the end if there is more in it.
local function serve_lane(line, key, host)
  local lane, lanes = key .. ' ' .. host, lanes_of(line, key)
  local state = state_of(lane)
  if state.line ~= line then
    redis.call('ZREM', lanes, host)
    enter(state.line, key, host)
    return false
  elseif state.retry_at > now then
    redis.call('ZADD', lanes, state.retry_at, host)
    return false
  elseif not state.responds and tries['lane ' .. lane] or (tries[line .. ' host ' .. host] or 0) >= HOST_TRIES then
    return false -- keeps its turn
  end
  local taken = take(line, key, host)
  if redis.call('EXISTS', due_in(lane)) == 1 then
    redis.call('ZADD', lanes, last, host)
  else
    redis.call('ZREM', lanes, host)
  end
  return taken
end

-- Takes at most one of a key's webhooks; the key goes to the end if it has more.
local function serve_key(line, key)
  if (tries[line .. ' key ' .. key] or 0) >= KEY_TRIES then return false end
  local lanes, taken = lanes_of(line, key), false
  for _, host in ipairs(redis.call('ZRANGEBYSCORE', lanes, '-inf', last, 'LIMIT', 0, SEARCH)) do
    taken = serve_lane(line, key, host)
    if taken then break end
  end
  local turn = tonumber(redis.call('ZRANGE', lanes, 0, 0, 'WITHSCORES')[2])
  if not turn then
    redis.call('ZREM', 'webhooks:' .. line, key)
  elseif taken or turn > last then
    redis.call('ZADD', 'webhooks:' .. line, math.max(last, turn), key)
  end
  return taken
end

for index, line in ipairs({'slow', 'quick'}) do
  local free, taken = tonumber(ARGV[index])
  repeat
    taken = false
    for _, key in ipairs(redis.call('ZRANGEBYSCORE', 'webhooks:' .. line, '-inf', last)) do
      if free == 0 then break end
      if serve_key(line, key) then free, taken = free - 1, true end
    end
  until not taken
end
return reply
