#!lua flags=allow-oom
-- Published clips, newest first. ARGV: index ("gallery", "published" or "reported"), cursor or "", limit, "1" to leave
-- out those taken down, scopes as JSON, lists a minute. Returns {cursor for the next page or "", {share id,
-- microseconds, whether it is listed, reason of its take-down or "", reports, record}, ...} or {"too many lists",
-- seconds to wait}.
local index, cursor, limit, public = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local scopes = cjson.decode(ARGV[5])
local wait, debts = check_bucket('lists:', scopes, tonumber(ARGV[6]), 60, 1)
if wait > 0 then return {'too many lists', timestamp(wait)} end
charge_bucket('lists:', scopes, debts)

-- The job of a share; nil of one whose request has a newer format than this version knows.
local function job_of(share_id)
  for schema = 1, limits.schema do
    local id = redis.call('GET', schema > 1 and 'share:' .. schema .. ':' .. share_id or 'share:' .. share_id)
    if id then return id end
  end
end

-- A version without these lists leaves the entries of jobs that it deletes.
local longest = limits.result_ttl_s + limits.tombstone_s
redis.call('ZREMRANGEBYSCORE', index, '-inf', '(' .. string.format('%.0f', (now - longest) * 1e6))

local most = 256 * 1024 -- bytes of requests and results: a page of long ones ends earlier
local last, reply, bytes = cursor == '' and '+inf' or '(' .. cursor, {''}, 0
for _ = 1, 5 do -- reads 500 clips at most in one call
  local found = redis.call('ZREVRANGEBYSCORE', index, last, '-inf', 'WITHSCORES', 'LIMIT', 0, 100)
  for i = 1, #found, 2 do
    if #reply > limit or bytes > most then return reply end
    local share_id, at = found[i], found[i + 1]
    last, reply[1] = '(' .. at, at
    local id = job_of(share_id)
    local job = id and redis.call('HMGET', 'job:' .. id, 'request', 'result', 'clip_digest')
    if id and not job[1] then
      redis.call('ZREM', index, share_id)
    elseif id then
      local reason = job[3] and redis.call('HGET', 'takedown:' .. job[3], 'reason')
      if not (public and reason) then
        bytes = bytes + #job[1] + #(job[2] or '')
        local is_listed = redis.call('ZSCORE', 'gallery', share_id) and 1 or 0
        local reports = public and {} or redis.call('HGETALL', 'reports:' .. share_id)
        reply[#reply + 1] = {share_id, at, is_listed, reason or '', reports, redis.call('HGETALL', 'job:' .. id)}
      end
    end
  end
  if #found < 200 then
    reply[1] = ''
    return reply
  end
end
return reply
