#!lua flags=allow-oom
-- Jobs of all clients, newest first, for operators. ARGV: JSON {status, model, client, key, error, since, before}, each
-- of them optional; limit; cursor or "". Returns {cursor for the next page or "", {record, place or {}}, ...}.
local filter, limit, cursor = cjson.decode(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

-- The first id of a moment. Ids sort as times do, from 1970 on: a negative number's digits would be the last.
local function id_at(seconds)
  return string.format('%014x', math.max(0, math.floor(seconds * 1e6)))
end

local function is_of(key, client)
  return client == 'key:' .. key or string.sub(client, 1, #key + 5) == 'key:' .. key .. '/'
end

local function matches(job)
  return (not filter.status or job.status == filter.status)
    and (not filter.model or job.model == filter.model)
    and (not filter.client or job.client == filter.client)
    and (not filter.key or is_of(filter.key, job.client))
    and (not filter.error or job.error and cjson.decode(job.error).code == filter.error)
end

-- What a key's client makes is all in its list; what an address makes may be in none.
local listed = filter.client and string.sub(filter.client, 1, 4) == 'key:'
local index = listed and 'of:' .. filter.client or 'jobs'
local first = filter.since and '[' .. id_at(filter.since) or '-'
local last = cursor ~= '' and '(' .. cursor or filter.before and '(' .. id_at(filter.before) or '+'
return page_of_jobs(index, last, first, limit, matches)
