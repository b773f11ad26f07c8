#!lua flags=allow-oom
-- What became of a try. ARGV: id, attempt, "delivered", "failed" or "pending", error or "", seconds until the next try.
local id, attempt, state, text, pause = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local job = redis.call('HMGET', 'job:' .. id, 'webhook_state', 'webhook_attempts')
if job[1] ~= 'pending' then return 0 end -- the job has gone, or another try arrived
if state ~= 'delivered' and job[2] ~= attempt then return 0 end -- another try is on its way
if state == 'pending' then
  redis.call('ZADD', 'webhooks', now + pause, id)
  redis.call('HSET', 'job:' .. id, 'webhook_next', stamp(now + pause))
else
  redis.call('ZREM', 'webhooks', id)
  redis.call('HDEL', 'job:' .. id, 'webhook_next')
end
change(id, 'webhook_state', state, 'webhook_error', text)
return 1
