#!lua flags=allow-oom
-- uses:
-- Records that queues hold leases that end with a node, so that a node that declares it dead finds them. Refused if it was declared
-- dead.
-- KEYS: the set of nodes; the queues of this one. All keys of nodes share a hash tag.
-- ARGV: number of the node; the names of the queues.
-- Returns: 1, or 0 where others declared the node dead.
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then return { 0 } end
for i = 2, #ARGV do redis.call('SADD', KEYS[2], ARGV[i]) end
return { 1 }
