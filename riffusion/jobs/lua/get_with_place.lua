#!lua flags=no-writes
-- A job and its place. ARGV[1]: id.
-- Returns {record, its place or {}}; the record is empty if there is no such job.
return record_with_place(ARGV[1])
