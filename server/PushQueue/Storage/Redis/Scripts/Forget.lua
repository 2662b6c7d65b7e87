#!lua flags=allow-oom
-- uses:
-- Takes a node off the lists whose leases were given back, unless it has leased in other queues meanwhile: then those are left to be looked
-- at.
-- KEYS: the set of nodes; the queues of this one; its liveness key. All keys of nodes share a hash tag.
-- ARGV: number of the node; the names of the queues that were looked at.
-- Returns: 1, or 0 where queues are left.
for i = 2, #ARGV do redis.call('SREM', KEYS[2], ARGV[i]) end
if redis.call('EXISTS', KEYS[2]) == 1 then return { 0 } end
redis.call('SREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2], KEYS[3])
return { 1 }
