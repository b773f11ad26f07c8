#!lua
-- Lets an upload begin, before any of it is read: takes a create, whatever becomes of it.
-- ARGV[1]: JSON {scopes, creates_per_minute, stored_bytes (quota), size}.
-- Returns {"admitted"}, {"too many creates", seconds to wait}, {"too many", what}, {"no storage"} or {"no memory"}.
local order = cjson.decode(ARGV[1])
local wait = take('rate:', order.scopes, order.creates_per_minute, 1)
if wait > 0 then return {'too many creates', stamp(wait)} end
if not has_memory() then return {'no memory'} end
if exceeds(order.scopes, 'stored_bytes', order.stored_bytes, order.size) then return {'too many', 'stored_bytes'} end
if storage_is_full(order.size) then return {'no storage'} end
return {'admitted'}
