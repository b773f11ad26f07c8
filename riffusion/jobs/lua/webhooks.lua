#!lua flags=allow-oom
-- Takes webhooks whose next try is due, each for a minute: who dies with one is made up for by another.
-- ARGV: how many at most. Returns the records.
local hold, reply = 60, {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', 'webhooks', '-inf', now, 'LIMIT', 0, ARGV[1])) do
  local record = 'job:' .. id
  if redis.call('EXISTS', record) == 0 then
    redis.call('ZREM', 'webhooks', id) -- deleted behind the store's back
  else
    redis.call('ZADD', 'webhooks', now + hold, id)
    redis.call('HINCRBY', record, 'webhook_attempts', 1)
    reply[#reply + 1] = redis.call('HGETALL', record)
  end
end
return reply
