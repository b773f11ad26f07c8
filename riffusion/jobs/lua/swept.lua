#!lua flags=allow-oom
-- Files have been deleted. ARGV: members of sweep. A job that is still there comes up again when it expires.
for _, member in ipairs(ARGV) do
  local id = string.match(member, '^job:(.*)$')
  local job = id and redis.call('HMGET', member, 'status', 'completed_at') or {}
  if job[2] then
    redis.call('ZADD', 'sweep', job[2] + limits.result_ttl_s, member)
  else
    redis.call('ZREM', 'sweep', member)
    if id and not job[1] then redis.call('DEL', 'folders:' .. id) end
  end
end
return 1
