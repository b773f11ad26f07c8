#!lua
-- Gives a clip a share id. ARGV: share id, job id, digest of the clip. Returns {the job's status}, or {""} if there is
-- no such job, {"blocked", reason} or {"taken down", reason}; only a job that has succeeded gets a share. It lasts as
-- long as the job and its tombstone: an expired clip then differs from one that never existed. An API of a version that
-- doesn't know the request's format doesn't find the share: it couldn't keep the request's private parts out of the
-- page.
local share_id, id, digest = ARGV[1], ARGV[2], ARGV[3]
local job = load_hash('job:' .. id)
if not job then return {''} end
local blocked = refuse_blocked(scopes_of(job))
if blocked then return blocked end
local reason = redis.call('HGET', 'takedown:' .. digest, 'reason')
if reason then return {'taken down', reason} end
if job.status == 'succeeded' then
  local left = job.completed_at + limits.result_ttl_s + limits.tombstone_s - now
  local schema = tonumber(job.schema or 1)
  local key = schema > 1 and 'share:' .. schema .. ':' .. share_id or 'share:' .. share_id
  redis.call('SET', key, id, 'EX', math.max(1, math.ceil(left)))
  redis.call('HSET', 'job:' .. id, 'share', share_id, 'clip_digest', digest)
  redis.call('ZADD', 'published', 'NX', now_us, share_id)
end
return {job.status}
