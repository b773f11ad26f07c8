#!lua
-- Notes that a visitor reports a clip, once a client. ARGV: share id, pseudonym of the client, reason, details or "",
-- scopes as JSON, reports an hour, clients whose reports of one clip count, clips with reports that are kept. Returns
-- {"noted"}, also where nothing was added; {"blocked", reason}, {"too many reports", seconds to wait} or {"no memory"}.
local share_id, reporter, reason, details = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local scopes = cjson.decode(ARGV[5])
local blocked = refuse_blocked(scopes)
if blocked then return blocked end
local reports, reporters = 'reports:' .. share_id, 'reporters:' .. share_id
if redis.call('SISMEMBER', reporters, reporter) == 1 then return {'noted'} end
local wait, debts = check_bucket('reporting:', scopes, tonumber(ARGV[6]), 3600, 1)
if wait > 0 then return {'too many reports', timestamp(wait)} end
if not has_memory() then return {'no memory'} end
charge_bucket('reporting:', scopes, debts)
if redis.call('SCARD', reporters) >= tonumber(ARGV[7]) then return {'noted'} end

redis.call('SADD', reporters, reporter)
redis.call('HINCRBY', reports, 'count', 1)
redis.call('HINCRBY', reports, 'reason:' .. reason, 1)
if details ~= '' then
  local latest = cjson.decode(redis.call('HGET', reports, 'details') or '[]')
  table.insert(latest, 1, details)
  redis.call('HSET', reports, 'details', cjson.encode({latest[1], latest[2], latest[3]}))
end
for _, key in ipairs({reports, reporters}) do redis.call('EXPIRE', key, limits.result_ttl_s) end
redis.call('ZADD', 'reported', now_us, share_id)
if redis.call('ZCARD', 'reported') > tonumber(ARGV[8]) then
  forget_reports(redis.call('ZRANGE', 'reported', 0, 0)[1])
end
return {'noted'}
