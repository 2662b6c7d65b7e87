#!lua flags=allow-oom
-- uses:
-- Reads the secret that signs tokens; the first call makes it.
-- KEYS: the hash that holds it.
-- ARGV: a fresh secret.
-- Returns: a list of the secret.
local known = redis.call('HGET', KEYS[1], 'secret')
if known then return { known } end
redis.call('HSET', KEYS[1], 'secret', ARGV[1])
return { ARGV[1] }
