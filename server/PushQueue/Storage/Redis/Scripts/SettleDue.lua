#!lua flags=allow-oom
-- uses:
-- Ends a claim: the queue was swept and is due again then, if at all.
-- KEYS: the index of due queues, the index of claimed ones.
-- ARGV: name of the queue, when it is due (0: never).
-- Returns: nothing.
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[2] ~= '0' then
  local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
  if not known or tonumber(known) > tonumber(ARGV[2]) then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
end
