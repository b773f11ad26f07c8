#!lua flags=allow-oom
-- Appends an operator's action to the log. ARGV: how many entries to keep, actor, action, target, details as JSON.
-- Returns the entry's id.
return redis.call('XADD', 'audit', 'MAXLEN', '~', ARGV[1], '*',
  'actor', ARGV[2], 'action', ARGV[3], 'target', ARGV[4], 'details', ARGV[5])
