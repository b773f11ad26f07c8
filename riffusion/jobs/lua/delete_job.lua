#!lua flags=allow-oom
-- Ends a job that hasn't, replaces it by a tombstone and has its files deleted.
-- ARGV: id. Returns 1, or 0 if there is no such job.
local job = load_hash('job:' .. ARGV[1])
if not job then return 0 end
erase_job(job)
return 1
