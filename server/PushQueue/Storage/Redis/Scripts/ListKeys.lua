#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance
-- Returns keys that have live messages, in the order of their bytes.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, key behind which the page begins (empty: from the first), how many at most.
-- Returns: control (-1: no such queue); 1 where there are more, else 0; per key its name, how many messages are ready, delayed and leased,
-- 1 where all ready ones wait for others of the key, and when the first ready one was put (empty: none is ready).
if not open({}) then return { -1 } end

local limit = tonumber(ARGV[4])
local names = call('ZRANGEBYLEX', ':keynames', ARGV[3] == '' and '-' or '(' .. ARGV[3], '+', 'LIMIT', 0, limit + 1)
local reply = { 0, #names > limit and 1 or 0 }
for i = 1, math.min(limit, #names) do
  local key = keys().counts(names[i])
  local first = keys().in_line(names[i], 0)
  local n = #reply
  reply[n + 1], reply[n + 2], reply[n + 3], reply[n + 4] = names[i], key.exposed + key.blocked, key.delayed, key.leased
  reply[n + 5] = keys().is_blocked(key) and 1 or 0
  reply[n + 6] = first and string.format('%.0f', read_record(call('HGET', ':messages', number_of(first))).put) or ''
end
return answer(reply)
