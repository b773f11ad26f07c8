#!lua
-- Accepts a draft: each of its requests will reach one terminal state. ARGV: id, JSON {idem, body, model, total,
-- quota}.
-- Returns {"accepted"}, also when sent again; {"known", digest of the body, id} where the idempotency key has come to
-- stand for another batch; {"no draft"}, {"no model"}, {"draining", model}, {"too many", what}, {"too many a day",
-- seconds to wait}, {"no storage"} or {"blocked", reason}.
local batch, wanted = load_hash('batch:' .. ARGV[1]), cjson.decode(ARGV[2])
if not batch then return {'no draft'} end
if batch.status ~= 'draft' then return {'accepted'} end
local scopes, total, quota = {batch.client}, wanted.total, wanted.quota
if redis.call('LLEN', 'batch_lines:' .. batch.id) ~= total then return {'no draft'} end -- a failover has lost some
local known = wanted.idem and load_hash('idem:' .. wanted.idem)
if known then return {'known', known.body, cjson.decode(known.ids)[1]} end
local blocked = refuse_blocked(scopes)
if blocked then return blocked end
if wanted.model ~= limits.model and redis.call('SISMEMBER', 'models', wanted.model) == 0 then
  return {'no model'} -- retired since
end
if model_state(wanted.model) == 'draining' then return {'draining', wanted.model} end
if storage_is_full(0) then return {'no storage'} end
if exceeds(scopes, 'stored_bytes', quota.stored_bytes, 0) then return {'too many', 'stored_bytes'} end
local wait, debts = check_bucket('day:', scopes, 4 * quota.jobs_kept, 86400, total)
if wait > 0 then return {'too many a day', timestamp(wait)} end
charge_bucket('day:', scopes, debts)

redis.call('HSET', 'batch:' .. batch.id, 'status', 'accepted', 'model', wanted.model, 'created_at', timestamp(now))
redis.call('HINCRBY', 'model:' .. wanted.model, 'held', total)
redis.call('SADD', 'models', wanted.model)
redis.call('ZADD', 'batches', now, batch.id)
if wanted.idem then
  redis.call('HSET', 'idem:' .. wanted.idem, 'body', wanted.body, 'ids', cjson.encode({batch.id}))
  redis.call('EXPIRE', 'idem:' .. wanted.idem, limits.idempotency_s)
end
return {'accepted'}
