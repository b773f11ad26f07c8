#!lua flags=allow-oom
-- Files have been deleted. ARGV: members of sweep. A job that is still there comes up again when it expires.
for _, member in ipairs(ARGV) do
  local completed = string.sub(member, 1, 4) == 'job:' and redis.call('HGET', member, 'completed_at')
  if completed then
    redis.call('ZADD', 'sweep', completed + limits.result_ttl_s, member)
  else
    redis.call('ZREM', 'sweep', member)
  end
end
return 1
