#!lua flags=allow-oom
-- An owner's jobs, newest first. ARGV: owner, status or "", limit, cursor or "", scopes as JSON, lists a minute.
-- Returns {cursor for the next page or "", {record, place or {}}, ...} or {"too many lists", seconds to wait}.
local owner, status, limit, cursor = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local most = 256 * 1024 -- bytes of requests and results: a page of long ones ends earlier
local scopes = cjson.decode(ARGV[5])
local wait, debts = check_bucket('lists:', scopes, tonumber(ARGV[6]), 60, 1)
if wait > 0 then return {'too many lists', timestamp(wait)} end
charge_bucket('lists:', scopes, debts)

local reply, bytes = {''}, 0
for _ = 1, 10 do -- reads 1000 jobs at most in one call
  local ids = redis.call('ZREVRANGEBYLEX', 'of:' .. owner, cursor == '' and '+' or '(' .. cursor, '-', 'LIMIT', 0, 100)
  for _, id in ipairs(ids) do
    if #reply > limit or bytes > most then return reply end
    cursor = id
    reply[1] = id
    local job = redis.call('HMGET', 'job:' .. id, 'status', 'request', 'result')
    if job[1] and (status == '' or status == job[1]) then
      bytes = bytes + #job[2] + #(job[3] or '')
      reply[#reply + 1] = record_with_place(id)
    end
  end
  if #ids < 100 then
    reply[1] = ''
    return reply
  end
end
return reply
