#!lua flags=allow-oom
-- Keeps the traceparent of the span of a running attempt. ARGV: id, token, traceparent.
local job = redis.call('HMGET', 'job:' .. ARGV[1], 'status', 'token')
if job[1] == 'running' and job[2] == ARGV[2] then
  redis.call('HSET', 'job:' .. ARGV[1], 'attempt_traceparent', ARGV[3])
end
