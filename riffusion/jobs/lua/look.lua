#!lua flags=no-writes
-- A job and its place. ARGV[1]: id. Answers {record, {rank, expected seconds or ""} or {}}; the record is empty if there is none.
return seen(ARGV[1])
