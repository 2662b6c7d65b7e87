#!lua
-- uses: Codec, Queue, Advance
-- Changes settings, making the queue if it does not exist.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, which queues it applies to (0: all, 1: new ones, 2: those whose policy is undecided, 3:
-- those without the setting expires), how many settings there
-- are, their names; then per change the name and the value (empty: back to the default).
-- Returns: control; the settings as they are now, in the order of their names.
local FIELDS = { 'first', 'next', 'policy' }
local queue = open(FIELDS)
local applies = true
if not queue then
  make(KEY, NAME)
  queue = load(FIELDS)
else
  applies = ARGV[3] == '0' or (ARGV[3] == '2' and not queue.policy and tonumber(queue.next or 1) == 1)
    or (ARGV[3] == '3' and redis.call('HEXISTS', KEY, 'expires') == 0)
end

local names = {}
for i = 5, 4 + tonumber(ARGV[4]) do names[#names + 1] = ARGV[i] end

local function values()
  local found = redis.call('HMGET', KEY, unpack(names))
  for i = 1, #names do found[i] = found[i] or '' end
  return found
end

local before = values()
for i = applies and 5 + #names or #ARGV + 1, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEY, ARGV[i])
  else
    redis.call('HSET', KEY, ARGV[i], ARGV[i + 1])
  end
end
local after = values()
loaded.expires = tonumber(redis.call('HGET', KEY, 'expires') or 0)
use()
note_due(unused_at())
if table.concat(before, '\n') ~= table.concat(after, '\n') then
  rules().trim_history(tonumber(queue.first or 1), tonumber(queue.next or 1))
  notify('SettingsChanged', table.concat(after, '\n'))
  if redis.call('EXISTS', KEY .. ':ready') == 1 then notify('Ready') end
end
local reply = { 0 }
for i = 1, #after do reply[i + 1] = after[i] end
return answer(reply)
