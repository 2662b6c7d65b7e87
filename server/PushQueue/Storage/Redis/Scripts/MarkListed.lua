#!lua flags=allow-oom
-- uses:
-- Records in a queue that the directory has it.
-- KEYS: the queue's hash.
-- Returns: 1 where there is such a queue, else 0.
local exists = redis.call('HEXISTS', KEYS[1], 'epoch')
if exists == 1 then redis.call('HSET', KEYS[1], 'listed', '1') end
return { exists }
