#!lua flags=allow-oom
-- Ends a running job, once. ARGV: id, token, status, bytes of its files, then the fields of the outcome.
-- Returns 1, also to the same token again, or 0 when another attempt owns the job.
local job = load_hash('job:' .. ARGV[1])
if not job or job.token ~= ARGV[2] then return 0 end
if is_terminal(job) then return 1 end -- any other end raises the token
if job.status ~= 'running' then return 0 end

local status = ARGV[3]
if status == 'succeeded' then
  local key = 'model:' .. job.model
  local pace = (now - job.started_at) / job.cost
  local average = tonumber(redis.call('HGET', key, 'pace') or pace)
  redis.call('HSET', key, 'pace', string.format('%.6g', 0.8 * average + 0.2 * pace))
  redis.call('SET', made_key(job), job.id, 'EX', limits.result_ttl_s)
end
local bytes = tonumber(ARGV[4])
if bytes > 0 then
  count_stored(job, bytes)
  redis.call('HSET', 'job:' .. job.id, 'stored_bytes', bytes)
end
end_job(job, status, unpack(ARGV, 5))
return 1
