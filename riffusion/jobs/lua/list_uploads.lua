#!lua flags=allow-oom
-- An owner's uploads, newest first. ARGV: owner, limit, cursor or "", scopes as JSON, lists a minute.
-- Returns {cursor for the next page or "", upload's hash, ...} or {"too many lists", seconds to wait}.
local index, limit, cursor = 'uploads_of:' .. ARGV[1], tonumber(ARGV[2]), ARGV[3]
local scopes = cjson.decode(ARGV[4])
local wait, debts = check_bucket('lists:', scopes, tonumber(ARGV[5]), 60, 1)
if wait > 0 then return {'too many lists', timestamp(wait)} end
charge_bucket('lists:', scopes, debts)

-- The cursor is a score: the time of the last upload seen. No two of an owner's are of the same microsecond.
local last = cursor == '' and '+inf' or '(' .. cursor
local found = redis.call('ZREVRANGEBYSCORE', index, last, '-inf', 'WITHSCORES', 'LIMIT', 0, limit)
local reply = {#found == 2 * limit and found[#found] or ''}
for i = 1, #found, 2 do
  local upload = redis.call('HGETALL', 'upload:' .. found[i])
  if #upload > 0 then
    reply[#reply + 1] = upload
  else
    redis.call('ZREM', index, found[i]) -- expired under a version without this list
  end
end
return reply
