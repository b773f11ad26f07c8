#!lua flags=allow-oom
-- uses: batches
-- Ends all requests of a batch that haven't ended. ARGV: id. Returns 1, or 0 if there is no such batch.
local batch = load_hash('batch:' .. ARGV[1])
if not batch or batch.status == 'draft' or batch.deleted then return 0 end
if not batch.completed_at then
  redis.call('HSETNX', 'batch:' .. batch.id, 'canceled_at', timestamp(now))
  cancel_batch(batch)
end
return 1
