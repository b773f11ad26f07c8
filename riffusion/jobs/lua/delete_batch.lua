#!lua flags=allow-oom
-- uses: batches
-- Ends all requests of a batch and deletes it. feed_batches.lua then deletes its jobs, some at a time. ARGV: id.
-- Returns 1, or 0 if there is no such batch.
local batch = load_hash('batch:' .. ARGV[1])
if not batch or batch.deleted then return 0 end
if batch.status == 'draft' then
  remove_batch(batch)
  return 0
end
cancel_batch(batch)
redis.call('HSET', 'batch:' .. batch.id, 'deleted', 1)
redis.call('ZREM', 'batches_of:' .. batch.owner, batch.id)
redis.call('ZADD', 'batches', now, batch.id)
drop_ids(batch)
redis.call('UNLINK', 'batch_open:' .. batch.id, 'batch_ends:' .. batch.id)
redis.call('SET', 'gone:' .. batch.id, batch.client, 'EX', limits.tombstone_s)
remember_erasure('batch', batch.id)
redis.call('PUBLISH', 'events', batch.id .. ' ' .. batch.revision + 2)
return 1
