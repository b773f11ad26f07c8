#!lua flags=allow-oom
-- Stores the outcome of a try. ARGV: its line and lane, id, attempt, "delivered", "failed" or "pending", error or "",
-- seconds until the next try, seconds that its host took to respond or "", how often the job had been requeued, and 1
-- if it had ended, otherwise 0.
local line, lane, id, attempt, state, text = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local pause, seconds = tonumber(ARGV[7]), ARGV[8]
local OPEN_AFTER, OPEN_S, FORGET_S = 3, 60, 86400

-- The circuit breaker of a lane. After three failures in a row one try a minute is made, until there is a response.
if redis.call('ZREM', 'webhooks:trying', line .. ' ' .. lane .. ' ' .. id) == 1 then
  local host = 'webhooks:host:' .. lane
  if seconds ~= '' then
    redis.call('HSET', host, 'failures', 0, 'seconds', seconds)
  elseif redis.call('HINCRBY', host, 'failures', 1) >= OPEN_AFTER then
    redis.call('HSET', host, 'retry_at', timestamp(now + OPEN_S))
  end
  redis.call('EXPIRE', host, FORGET_S)
end

local job = redis.call('HMGET', 'job:' .. id, 'webhook_state', 'webhook_attempts', 'requeues', 'completed_at')
if job[1] ~= 'pending' then return 0 end -- the job was deleted or requeued, or another try succeeded
if ARGV[9] and ARGV[9] ~= (job[3] or '0') then return 0 end -- the try was of an earlier end
if ARGV[10] == '0' and job[4] then return 0 end -- the try was of its start, and its end is due since
if state ~= 'delivered' and job[2] ~= attempt then return 0 end -- another try is in progress
if state == 'pending' then
  redis.call('ZADD', 'webhooks', now + pause, id)
  redis.call('HSET', 'job:' .. id, 'webhook_next', timestamp(now + pause))
else
  redis.call('ZREM', 'webhooks', id)
  redis.call('ZREM', 'webhooks:pending', id)
  redis.call('HDEL', 'job:' .. id, 'webhook_next')
end
if state ~= 'pending' and not job[4] then state = 'waiting' end -- for the job's end
update(id, 'webhook_state', state, 'webhook_error', text)
return 1
