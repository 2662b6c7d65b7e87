#!lua flags=allow-oom
-- uses:
-- A heartbeat of a node, which learns which others have stopped. Redis's own clock counts, so that nodes whose clocks differ do not
-- dead_letter each other.
-- KEYS: the set of nodes; the node's liveness key; the totals of all queues. All keys of nodes share a hash tag.
-- ARGV: number of the node, its timeout in milliseconds, the channel of notifications, the notification to publish, 1 where the node joins;
-- how many more queues, messages and bytes there are by what this node has done since its last heartbeat.
-- Returns: 0 where others declared the node dead and it has to join again, else 1; queues, messages and bytes by the reports of all nodes;
-- how many nodes are dead; the time in microseconds; the numbers of the dead, then those of the living.
if ARGV[5] == '1' then
  redis.call('SADD', KEYS[1], ARGV[1])
elseif redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then
  return { 0 }
end

-- Where this node's own key has expired, Redis was away or frozen, and so have those of the others: they get as long again.
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
local time = redis.call('TIME')
local reply = { 1, totals[1], totals[2], totals[3], #dead, string.format('%.0f', time[1] * 1000000 + time[2]), unpack(dead) }
for _, node in ipairs(living) do reply[#reply + 1] = node end
return reply
