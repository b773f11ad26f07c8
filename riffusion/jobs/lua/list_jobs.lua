#!lua flags=allow-oom
-- An owner's jobs, newest first. ARGV: owner, status or "", limit, cursor or "", scopes as JSON, lists a minute.
-- Returns {cursor for the next page or "", {record, place or {}}, ...} or {"too many lists", seconds to wait}.
local owner, status, limit, cursor = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local scopes = cjson.decode(ARGV[5])
local wait, debts = check_bucket('lists:', scopes, tonumber(ARGV[6]), 60, 1)
if wait > 0 then return {'too many lists', timestamp(wait)} end
charge_bucket('lists:', scopes, debts)

return page_of_jobs('of:' .. owner, cursor == '' and '+' or '(' .. cursor, '-', limit, function(job)
  return status == '' or job.status == status
end)
