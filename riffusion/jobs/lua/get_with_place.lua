#!lua flags=no-writes
-- A job and its place. ARGV[1]: id. Returns {record, {rank, expected seconds or ""} or {}}; the record is empty if there is none.
return seen(ARGV[1])
