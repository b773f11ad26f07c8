#!lua flags=allow-oom
-- uses: batches
-- Removes a draft that won't be accepted. ARGV: id.
local batch = load_hash('batch:' .. ARGV[1])
if batch and batch.status == 'draft' then remove_batch(batch) end
return 1
