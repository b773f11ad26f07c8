#!lua flags=no-writes
-- uses: batches
-- A batch, and how many of its jobs wait and run. ARGV: id. Returns {record or {}, queued, running}.
return read_batch(ARGV[1])
