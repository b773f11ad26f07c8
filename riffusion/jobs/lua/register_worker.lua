#!lua flags=allow-oom
-- Lists a worker as alive for the length of a lease; with 0 slots, takes it off.
-- ARGV: worker, model, slots, card, qualities: apart, since an API of the version before reads no card that has them.
local worker, model, slots, card, qualities = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
if slots == 0 then
  redis.call('SREM', 'workers', worker)
  redis.call('DEL', 'worker:' .. worker)
else
  redis.call('SADD', 'workers', worker)
  redis.call('SADD', 'models', model)
  redis.call('HSET', 'model:' .. model, 'card', card, 'qualities', qualities, 'worker_slots', slots)
  redis.call('HSET', 'worker:' .. worker, 'model', model, 'slots', slots, 'seen', timestamp(now))
  redis.call('PEXPIRE', 'worker:' .. worker, math.ceil(1000 * limits.lease_s))
end
return 1
