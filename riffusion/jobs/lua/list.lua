#!lua flags=no-writes
-- A client's jobs, newest first. ARGV: client, status or "", limit, cursor or "".
-- Answers {cursor for the next page or "", {record, place or {}}, ...}.
local client, status, limit, cursor = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local reply = {''}
for _ = 1, 10 do -- looks at no more than 1000 jobs in one call
  local ids = redis.call('ZREVRANGEBYLEX', 'of:' .. client, cursor == '' and '+' or '(' .. cursor, '-', 'LIMIT', 0, 100)
  for _, id in ipairs(ids) do
    if #reply > limit then return reply end
    cursor = id
    reply[1] = id
    local found = redis.call('HGET', 'job:' .. id, 'status')
    if found and (status == '' or status == found) then reply[#reply + 1] = seen(id) end
  end
  if #ids < 100 then
    reply[1] = ''
    return reply
  end
end
return reply
