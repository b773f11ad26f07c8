#!lua flags=allow-oom
-- uses: batches
-- An owner's batches, newest first, drafts included. ARGV: owner, client, lists a minute.
-- Returns {{record, queued, running}, ...} or {"too many lists", seconds to wait}.
local wait, debts = check_bucket('lists:', {ARGV[2]}, tonumber(ARGV[3]), 60, 1)
if wait > 0 then return {'too many lists', timestamp(wait)} end
charge_bucket('lists:', {ARGV[2]}, debts)
local reply = {}
for _, id in ipairs(redis.call('ZREVRANGEBYLEX', 'batches_of:' .. ARGV[1], '+', '-')) do
  reply[#reply + 1] = read_batch(id)
end
return reply
