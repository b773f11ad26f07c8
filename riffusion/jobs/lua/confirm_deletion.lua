#!lua flags=allow-oom
-- Removes entries whose files have been deleted. ARGV: members of sweep_at. A job that is still kept stays, until it
-- expires.
for _, member in ipairs(ARGV) do
  redis.call('ZREM', 'sweeping', member)
  local id = string.match(member, '^job:(.*)$')
  local job = id and redis.call('HMGET', member, 'status', 'completed_at') or {}
  if job[1] then
    redis.call('ZADD', 'sweep_at', (job[2] or now) + limits.result_ttl_s, member)
  else
    redis.call('ZREM', 'sweep_at', member)
    if id then redis.call('DEL', 'folders:' .. id) end
  end
end
return 1
