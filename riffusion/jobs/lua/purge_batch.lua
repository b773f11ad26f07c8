#!lua flags=allow-oom
-- uses: batches
-- Removes a batch or draft with all that would name its client; its jobs are purged by themselves. ARGV: id. Returns 1,
-- or 0 if there was none.
local batch = load_hash('batch:' .. ARGV[1])
if not batch then return 0 end
remove_batch(batch)
redis.call('DEL', 'gone:' .. batch.id)
remember_erasure('batch', batch.id)
return 1
