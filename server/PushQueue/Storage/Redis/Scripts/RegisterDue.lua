#!lua flags=allow-oom
-- uses:
-- Registers due times of queues that are earlier than those in the index.
-- KEYS: the index of due queues, the index of claimed ones.
-- ARGV: per queue its name and the time.
-- Returns: nothing.
for i = 1, #ARGV, 2 do
  local known = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if not known or tonumber(known) > tonumber(ARGV[i + 1]) then redis.call('ZADD', KEYS[1], ARGV[i + 1], ARGV[i]) end
end
