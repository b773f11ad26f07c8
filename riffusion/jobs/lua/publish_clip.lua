#!lua
-- Gives a clip a share id. ARGV: share id, job id. Returns the job's status, or nothing where there is no such job; the
-- share is made where that is succeeded. It lasts as long as the clip and its tombstone, so that it can say that it is gone.
local share, id = ARGV[1], ARGV[2]
local job = load('job:' .. id)
if not job then return '' end
if job.status == 'succeeded' then
  local left = job.completed_at + limits.result_ttl_s + limits.tombstone_s - now
  redis.call('SET', 'share:' .. share, id, 'EX', math.max(1, math.ceil(left)))
end
return job.status
