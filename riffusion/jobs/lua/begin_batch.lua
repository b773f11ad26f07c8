#!lua
-- uses: batches
-- Begins a batch: a draft, until commit_batch.lua. ARGV[1]: JSON {idem, tail, client, owner, quota, trace, most:
-- batches that an owner may have}.
-- Returns {"begun", id}, {"known", digest of the body, id} where the idempotency key stands for a batch, {"too many
-- batches"}, {"too many creates", seconds to wait}, {"no memory"} or {"blocked", reason}.
local new = cjson.decode(ARGV[1])
if new.idem then
  local known = load_hash('idem:' .. new.idem)
  if known then return {'known', known.body, cjson.decode(known.ids)[1]} end
end
local blocked = refuse_blocked({new.client})
if blocked then return blocked end
if not has_memory() then return {'no memory'} end
if redis.call('ZCARD', 'batches_of:' .. new.owner) >= new.most then return {'too many batches'} end
-- One create now; those of a day, for its requests, when it is committed.
local wait, debts = check_bucket('rate:', {new.client}, new.quota.creates_per_minute, 60, 1)
if wait > 0 then return {'too many creates', timestamp(wait)} end
charge_bucket('rate:', {new.client}, debts)

local id = string.format('%014x', tonumber(time[1]) * 1e6 + tonumber(time[2])) .. new.tail
redis.call('HSET', 'batch:' .. id, 'id', id, 'status', 'draft', 'client', new.client, 'owner', new.owner,
  'created_at', timestamp(now), 'trace', cjson.encode(new.trace), 'total', 0, 'fed', 0, 'held_bytes', 0, 'ids_bytes', 0,
  'succeeded', 0, 'failed', 0, 'canceled', 0, 'revision', 1)
redis.call('ZADD', 'batches_of:' .. new.owner, 0, id)
redis.call('ZADD', 'batches', now + draft_s, id)
return {'begun', id}
