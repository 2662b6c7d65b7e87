#!lua
-- uses: Codec, Queue, Advance
-- Changes settings, making the queue if it does not exist.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, how many settings there are, their names; then per change the name and the value (empty: back to the default).
-- Returns: control; the settings as they are now, in the order of their names.
local queue = open({ 'first', 'next' })
if not queue then
  make(KEY, NAME)
  queue = load({ 'first', 'next' })
end

local names = {}
for i = 4, 3 + tonumber(ARGV[3]) do names[#names + 1] = ARGV[i] end

local function values()
  local found = redis.call('HMGET', KEY, unpack(names))
  for i = 1, #names do found[i] = found[i] or '' end
  return found
end

local before = values()
for i = 4 + #names, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEY, ARGV[i])
  else
    redis.call('HSET', KEY, ARGV[i], ARGV[i + 1])
  end
end
local after = values()
if table.concat(before, '\n') ~= table.concat(after, '\n') then
  rules().trim_history(tonumber(queue.first or 1), tonumber(queue.next or 1))
  notify('SettingsChanged', table.concat(after, '\n'))
  if redis.call('EXISTS', KEY .. ':ready') == 1 then notify('Ready') end
end
local reply = { 0 }
for i = 1, #after do reply[i + 1] = after[i] end
return answer(reply)
