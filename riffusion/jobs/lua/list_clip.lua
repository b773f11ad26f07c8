#!lua
-- Lists a published clip in the gallery, or takes it out, and remembers the latter after a restore of Redis. ARGV: job
-- id, "1" or "0", clips of one client that may be listed at once and, for "1" alone, within an hour. Returns {"listed"
-- or "unlisted", share id}, or {""} if no such job was published, {"blocked", reason}, {"taken down", reason}, {"too
-- many listed"} or {"too many listings", seconds to wait}.
local id, listed, most = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3])
local job = load_hash('job:' .. id)
if not job or not job.share then return {''} end
local scopes = scopes_of(job)
if not listed then
  if redis.call('ZSCORE', 'gallery', job.share) then remember_erasure('listing', id) end
  unlist(job.share, scopes)
  return {'unlisted', job.share}
end
local blocked = refuse_blocked(scopes)
if blocked then return blocked end
local reason = redis.call('HGET', 'takedown:' .. job.clip_digest, 'reason')
if reason then return {'taken down', reason} end
if redis.call('ZSCORE', 'gallery', job.share) then
  redis.call('HSET', 'job:' .. id, 'listed_at', timestamp(now)) -- a backup may have listed it again
  return {'listed', job.share}
end
for index, scope in ipairs(scopes) do
  redis.call('ZREMRANGEBYSCORE', 'listed:' .. scope, '-inf', now)
  if redis.call('ZCARD', 'listed:' .. scope) >= most * multiple(index) then return {'too many listed'} end
end
local wait, debts = check_bucket('listing:', scopes, tonumber(ARGV[4]), 3600, 1)
if wait > 0 then return {'too many listings', timestamp(wait)} end
charge_bucket('listing:', scopes, debts)
count_listed(job)
-- Its place is that of its publication, so that nobody gets to the top again by taking it out and back in.
redis.call('ZADD', 'gallery', redis.call('ZSCORE', 'published', job.share) or now_us, job.share)
redis.call('HSET', 'job:' .. id, 'listed_at', timestamp(now))
return {'listed', job.share}
