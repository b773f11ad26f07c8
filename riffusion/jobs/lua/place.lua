#!lua flags=no-writes
-- Where a waiting job stands. ARGV: id, model. Answers {rank, expected seconds or ""}, or nothing.
local rank = redis.call('ZRANK', 'waiting:' .. ARGV[2], ARGV[1])
if not rank then return nil end
local model = redis.call('HMGET', 'model:' .. ARGV[2], 'waiting_cost', 'running_cost', 'pace', 'slots', 'running')
local slots = tonumber(model[4] or 0)
if not model[3] or slots == 0 then return {rank, ''} end
if rank + tonumber(model[5] or 0) < slots then return {rank, '0'} end
-- Jobs ahead are taken for average ones, and running jobs for half done.
local ahead = tonumber(model[1] or 0) * rank / redis.call('ZCARD', 'waiting:' .. ARGV[2]) + tonumber(model[2] or 0) / 2
return {rank, string.format('%.3f', ahead * model[3] / slots)}
