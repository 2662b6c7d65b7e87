#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance
-- Records that the queue is in use until a later time, or that it must not go before one, where it has the setting expires.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, milliseconds from now, 0 where it is in use for so long, 1 where it must not go for so long.
-- Returns: control (-1: no such queue); when something is due there (0: never).
local there = redis.call('HMGET', KEY, 'expires', 'used')
local expires, ahead = math.ceil(tonumber(there[1] or 0) / 10000), tonumber(ARGV[3])
local till = ARGV[4] == '1' and NOW - expires + math.min(ahead, expires) or NOW + ahead
if expires > 0 and tonumber(there[2] or 0) < till then redis.call('HSET', KEY, 'used', string.format('%.0f', till)) end
if not open({}) then return { -1, 0 } end
return answer({ 0, due_after < NEVER and due_after or 0 })
