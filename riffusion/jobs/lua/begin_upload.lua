#!lua
-- Lets an upload begin, before any of it is read: takes a create, whatever becomes of it.
-- ARGV[1]: JSON {scopes, quota, size}.
-- Returns {"admitted"}, {"too many creates", seconds to wait}, {"too many a day", seconds to wait}, {"too many", what},
-- {"no storage"} or {"no memory"}.
local order = cjson.decode(ARGV[1])
local too_many = take_creates(order.scopes, order.quota, 1)
if too_many then return too_many end
if not has_memory() then return {'no memory'} end
if exceeds(order.scopes, 'stored_bytes', order.quota.stored_bytes, order.size) then return {'too many', 'stored_bytes'} end
if storage_is_full(order.size) then return {'no storage'} end
return {'admitted'}
