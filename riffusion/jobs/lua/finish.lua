#!lua flags=allow-oom
-- Ends a running job, once. ARGV: id, token, status, then the fields of the outcome.
-- Answers 1, also to the same token again, or 0 when another attempt owns the job.
local job = load('job:' .. ARGV[1])
if not job or job.token ~= ARGV[2] then return 0 end
if is_terminal(job) then return 1 end -- whatever else ends a job raises its token
if job.status ~= 'running' then return 0 end

local status = ARGV[3]
if status == 'succeeded' then
  local key = 'model:' .. job.model
  local pace = (now - job.started_at) / job.cost
  local average = tonumber(redis.call('HGET', key, 'pace') or pace)
  redis.call('HSET', key, 'pace', string.format('%.6g', 0.8 * average + 0.2 * pace))
  redis.call('SET', made_key(job), job.id, 'EX', limits.result_ttl_s)
end
settle(job, status, unpack(ARGV, 4))
return 1
