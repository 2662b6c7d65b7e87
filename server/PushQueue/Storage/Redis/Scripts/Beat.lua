#!lua flags=allow-oom
-- uses:
-- A node says that it lives, and learns which others do not. Redis's own clock counts, so that nodes whose clocks differ do not bury each other.
-- KEYS: the set of nodes; the node's sign of life; what all queues hold together. All keys of nodes share a hash tag.
-- ARGV: number of the node, how long the sign holds (milliseconds), the channel of bells, the bell to ring, 1 where the node joins;
-- how many more queues, messages and bytes there are by what this node has done since its last beat.
-- Returns: 0 where others took the node for dead and it has to join anew, else 1; queues, messages and bytes by what all nodes have said; how many
-- nodes are dead; their numbers, then those of the living.
if ARGV[5] == '1' then
  redis.call('SADD', KEYS[1], ARGV[1])
elseif redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then
  return { 0 }
end

-- Where this node's own sign has run out, Redis was away or frozen, and so have those of the others: they get as long again.
local was_away = ARGV[5] == '0' and redis.call('EXISTS', KEYS[2]) == 0
redis.call('SET', KEYS[2], '1', 'PX', ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
local totals = {}
for i, field in ipairs({ 'queues', 'messages', 'bytes' }) do
  if ARGV[5 + i] ~= '0' then redis.call('HINCRBY', KEYS[3], field, ARGV[5 + i]) end
  totals[i] = tonumber(redis.call('HGET', KEYS[3], field) or 0)
end
local dead, living = {}, {}
local prefix = KEYS[2]:sub(1, -#ARGV[1] - 1)
for _, node in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if was_away then redis.call('SET', prefix .. node, '1', 'PX', ARGV[2], 'NX') end
  local list = redis.call('EXISTS', prefix .. node) == 1 and living or dead
  list[#list + 1] = node
end
local reply = { 1, totals[1], totals[2], totals[3], #dead, unpack(dead) }
for _, node in ipairs(living) do reply[#reply + 1] = node end
return reply
