#!lua flags=allow-oom
-- Charges for reading the results of a batch, as for the lists that it takes as long as. ARGV: client, lists, lists a
-- minute. Returns {"charged"} or {"too many lists", seconds to wait}.
local wait, debts = check_bucket('lists:', {ARGV[1]}, tonumber(ARGV[3]), 60, tonumber(ARGV[2]))
if wait > 0 then return {'too many lists', timestamp(wait)} end
charge_bucket('lists:', {ARGV[1]}, debts)
return {'charged'}
