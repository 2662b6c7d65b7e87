#!lua flags=allow-oom
-- uses:
-- Claims queues that are due, for one node to sweep. A claim that is not settled in time can be claimed again.
-- KEYS: the index of due queues, the index of claimed ones.
-- ARGV: time, until when the claim holds, how many at most.
-- Returns: when the next queue that is not claimed is due (0: none); the names of the claimed ones.
local reply = { 0 }
local seen = {}
for _, index in ipairs({ 2, 1 }) do
  for _, queue in ipairs(redis.call('ZRANGEBYSCORE', KEYS[index], '-inf', ARGV[1], 'LIMIT', 0, tonumber(ARGV[3]))) do
    redis.call('ZREM', KEYS[1], queue)
    redis.call('ZADD', KEYS[2], ARGV[2], queue)
    if not seen[queue] then
      seen[queue] = true
      reply[#reply + 1] = queue
    end
  end
end
for index = 1, 2 do
  local next_due = tonumber(redis.call('ZRANGE', KEYS[index], 0, 0, 'WITHSCORES')[2])
  if next_due and (reply[1] == 0 or next_due < reply[1]) then reply[1] = next_due end
end
return reply
