#!lua
-- uses: Codec, Queue, Keys, Advance, Feeds
-- Changes settings, making the queue if it does not exist.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, which queues it applies to (0: all, 1: new ones, 2: those whose policy is undecided, 3:
-- those without the setting expires), how many settings there
-- are, their names; then per change the name and the value (empty: back to the default); the name \1 stands for a queue, the value, that a
-- subscription from the earliest fits.
-- Returns: control; the settings as they are now, in the order of their names. Nothing but control where the server would have too many
-- subscriptions; then nothing has changed.
local FIELDS = { 'first', 'next', 'policy', 'available', 'early', 'subs' }
local queue = open(FIELDS)
local applies = not queue or ARGV[3] == '0' or (ARGV[3] == '2' and not queue.policy and tonumber(queue.next or 1) == 1)
  or (ARGV[3] == '3' and redis.call('HEXISTS', KEY, 'expires') == 0)

local names = {}
for i = 5, 4 + tonumber(ARGV[4]) do names[#names + 1] = ARGV[i] end

-- First of all, because it may be refused.
for i = applies and 5 + #names or #ARGV + 1, #ARGV, 2 do
  if ARGV[i] == 'subs' and not register(redis.call('HGET', KEY, 'subs') or '', ARGV[i + 1], MOST_SUBSCRIPTIONS) then
    return queue and answer({ 0 }) or { 0 }
  end
end

if not queue then
  make(KEY, NAME)
  notify('Made')
  queue = load(FIELDS)
end

local function values()
  local found = redis.call('HMGET', KEY, unpack(names))
  for i = 1, #names do found[i] = found[i] or '' end
  return found
end

-- Begins to keep the newest message of each key, with those that history holds, or ends it.
local function keep_latest(keep)
  local cursor = 'drop'
  if keep then
    local before = redis.call('HGET', KEY, 'latestat') or ''
    cursor = before:sub(1, 4) == 'drop' and 'drop+' or string.format('%.0f', tonumber(queue.first or 1))
  end
  rules().follow_per_key(cursor)
end

-- A queue begins to feed this one: what it holds now is copied later (CopyEarlier.lua).
local available = tonumber(queue.available or 0)
local function begin_earlier(name)
  if name == NAME then return end
  for entry in each(queue.subs or '', '\30') do
    -- It feeds this queue already.
    if fits(entry:match('^[^\31]*'), name) then return end
  end
  local source = key_of_queue(name)
  local there = redis.call('HMGET', source, 'epoch', 'seq', 'born', 'available')
  if not there[2] or redis.call('EXISTS', source .. ':messages', source .. ':history') == 0 then return end
  local born = there[3]
  if not born then
    local time = redis.call('TIME')
    born = there[1] .. '.' .. time[1] .. '.' .. time[2]
    redis.call('HSET', source, 'born', born)
  end
  local began = math.max(NOW, available, tonumber(there[4] or 0))
  available = began + 1
  call('HSET', ':earlier', name, string.format('%s %.0f %.0f h 0 0 0', born, there[2], began))
  if not queue.early then
    queue.early = name
    change('early', name)
    note_due(1)
  end
end

-- Sources that no entry from the earliest fits any more are not copied.
local function end_earlier()
  local earliest = redis.call('HGET', KEY, 'earliest') or ''
  for _, name in ipairs(call('HKEYS', ':earlier')) do
    local stays = false
    for entry in each(earliest, '\30') do stays = stays or fits(entry:match('^[^\31]*'), name) end
    if not stays then call('HDEL', ':earlier', name) end
  end
end

local before = values()
local kept_before = redis.call('HGET', KEY, 'perkey') == '1'
for i = applies and 5 + #names or #ARGV + 1, #ARGV, 2 do
  if ARGV[i] == '\1' then
    begin_earlier(ARGV[i + 1])
  elseif ARGV[i + 1] == '' then
    redis.call('HDEL', KEY, ARGV[i])
  else
    redis.call('HSET', KEY, ARGV[i], ARGV[i + 1])
  end
end
if queue.early then end_earlier() end
if available ~= tonumber(queue.available or 0) then change('available', available) end
local after = values()
loaded.expires = tonumber(redis.call('HGET', KEY, 'expires') or 0)
use()
note_due(unused_at())
local keeps = redis.call('HGET', KEY, 'perkey') == '1'
if keeps ~= kept_before then keep_latest(keeps) end
for i = 1, #names do
  if (names[i] == 'keylimit' or names[i] == 'fair') and before[i] ~= after[i] then after.reorders = true end
end
if table.concat(before, '\n') ~= table.concat(after, '\n') then
  if after.reorders then
    if key_rules then key_rules.load() end
    redis.call('UNLINK', KEY .. ':turn')
    if redis.call('EXISTS', KEY .. ':keynames') == 1 then rules().reorder('1:-inf:0') end
  end
  rules().trim_history(tonumber(queue.first or 1), tonumber(queue.next or 1))
  notify('SettingsChanged', table.concat(after, '\n'))
  if redis.call('EXISTS', KEY .. ':ready') == 1 then notify('Ready') end
end
local reply = { 0 }
for i = 1, #after do reply[i + 1] = after[i] end
return answer(reply)
