#!lua
-- uses: Codec, Queue, Keys, Advance, Headers, Feeds
-- Copies the next part of what the sources of subscriptions held when these began. Until all is copied the queue gives nothing out: it is
-- always due (Part.Advance.lua), and Lease, Take and Broadcast find nothing.
-- KEYS: the queue's hash. On a Redis Cluster all keys of the queue and of the source.
-- ARGV: time, the caller, the source that the node means (empty at first), how many messages at most, bytes of bodies at most.
-- Returns: control (-1: no such queue); 1 where there is more to do, else 0; the source that is next.
--
-- Field early: the source that is copied now. :earlier is a hash of all sources that are to be copied: the identity of the source (its
-- field born), the last number that it had given when the subscription began, that time, the phase, the offset up to which its history is
-- copied, the number up to which what it holds is copied, and where the search of its messages goes on. Phases: h history, in the order of
-- the offsets; s the numbers of all messages that it holds are collected in :earlynums; l these are copied in their order. Messages that
-- are broadcast during the last two are found at the end of history.
local queue = open({ 'early', 'earliest', 'seq', 'available', 'idmax', 'dedup', 'bytes', 'put', 'policy', 'stopped', 'fed', 'fedat' })
if not queue then return { -1 } end

local function end_source(name)
  call('HDEL', ':earlier', name)
  call('UNLINK', ':earlynums')
  local following = call('HKEYS', ':earlier')[1]
  if following then
    redis.call('HSET', KEY, 'early', following)
    return following
  end
  redis.call('HDEL', KEY, 'early')
  notify('Ready')
  if feeds_history(queue, subscribers(queue)) then notify('Feeding') end
end

local name = queue.early
if not name then return answer({ 0, 0, '' }) end
if name ~= ARGV[3] then return answer({ 0, 1, name }) end

local packed, source = call('HGET', ':earlier', name), key_of_queue(name)
local there = redis.call('HMGET', source, 'born', 'first', 'next')
local born, bound, began, phase, offset, cursor, scan
if packed then
  born, bound, began, phase, offset, cursor, scan = packed:match('^(%S+) (%d+) (%d+) (%a) (%d+) (%d+) (%d+)$')
end
if not born or there[1] ~= born then
  -- Removed, or the source was deleted.
  local following = end_source(name)
  return answer({ 0, following and 1 or 0, following or '' })
end
bound, began, offset, cursor = tonumber(bound), tonumber(began), tonumber(offset), tonumber(cursor)

local function of_source(command, suffix, ...)
  return redis.call(command, source .. suffix, ...)
end

-- The conditions of the entries that begin with the earliest; nil where one of them takes all messages.
local conditions = {}
for entry in each(queue.earliest or '', '\30') do
  local to, where = entry:match('^([^\31]*)\31?(.*)$')
  if conditions and fits(to, name) then
    if where == '' then conditions = nil else conditions[#conditions + 1] = where end
  end
end
local wanted_entries = conditions and table.concat(conditions, '\30')

local seq, available, idmax = tonumber(queue.seq or 0), tonumber(queue.available or 0), tonumber(queue.idmax or 0)
local dedup = tonumber(queue.dedup or 0) / 10000

local function is_known(id)
  if locate(id) then return true end
  local known = call('ZSCORE', ':known', id)
  return known and tonumber(known) > NOW
end

-- Stores a copy. delayed: when it is available, if that is still to come. All that are ready are available at one time: so they are given
-- out in the order in which they are copied. expires: the end of its time to live.
local function store(record, message, delayed, expires)
  if wanted_entries and not (wanted_entries ~= '' and wants(wanted_entries, headers_of(record, message))) then return end
  if expires and expires <= NOW then return end
  if message.id and is_known(message.id) then return end
  seq = seq + 1
  if message.id then
    if #message.id <= 15 and message.id:find('^[1-9]%d*$') then idmax = math.max(idmax, tonumber(message.id)) end
  else
    while seq <= idmax and is_known(tostring(seq)) do seq = seq + 1 end
  end
  local number = string.format('%015d', seq)
  local member = member_of(number, message)
  call('HSET', ':messages', number, copied_record(record, message))
  if message.id then
    call('HSET', ':ids', message.id, number)
    if dedup > 0 then
      call('ZADD', ':known', math.floor(NOW + dedup), message.id)
      note_due(math.floor(NOW + dedup))
    end
  end
  if delayed then
    call('ZADD', ':delayed', delayed, member)
    note_due(delayed)
    if is_keyed(member) then keys().delay(message.key) end
  elseif is_keyed(member) then
    keys().ready(member, message.key, began, add_ready, true)
  else
    add_ready(member, began)
  end
  if expires then
    call('ZADD', ':expiring', expires, member)
    note_due(expires)
  end
  count('bytes', message.bytes)
  count('put', 1)
  hold(1, message.bytes)
end

local left, bytes_left = tonumber(ARGV[4]), tonumber(ARGV[5])
local function spend(bytes)
  left, bytes_left = left - 1, bytes_left - bytes
  return left > 0 and bytes_left > 0
end

local function copy_broadcast(at)
  local packed_message = of_source('HGET', ':history', string.format('%.0f', at))
  if not packed_message then return left > 0 end
  local member, _, _, _, since, behind = struct.unpack('>c16c1I4dd', packed_message, 3)
  local number = tonumber(number_of(member))
  if number > bound or number <= cursor then return true end
  local record = packed_message:sub(struct.unpack('>I2', packed_message) + 3)
  local message = read_record(record)
  store(record, message, nil, message.ttl and since + message.ttl)
  return spend(message.bytes)
end

-- History: first what is kept beyond its limits, then the rest. Whether all is copied.
local function copy_history()
  local first, next_offset = tonumber(there[2] or 1), tonumber(there[3] or 1)
  while offset + 1 < first do
    local kept = of_source(
      'ZRANGEBYSCORE', ':latest', string.format('%.0f', offset + 1), '(' .. string.format('%.0f', first), 'WITHSCORES', 'LIMIT', 0, 1)
    offset = tonumber(kept[2] or first - 1)
    if kept[2] and not copy_broadcast(offset) then return false end
  end
  local looked = 0
  while offset + 1 < next_offset do
    if looked == 5000 then return false end
    looked = looked + 1
    offset = offset + 1
    if not copy_broadcast(offset) then return offset + 1 >= next_offset end
  end
  return true
end

-- Collects numbers, a part at a time. Whether all are collected.
local function collect()
  local length = of_source('HLEN', ':messages')
  local average = math.max(1, tonumber(redis.call('HGET', source, 'bytes') or 0) / math.max(1, length))
  local most = math.max(10, math.min(2000, math.floor(4194304 / average)))
  local found = redis.call('HSCAN', source .. ':messages', scan, 'COUNT', most)
  scan = found[1]
  local numbers = {}
  for i = 1, #found[2], 2 do
    if tonumber(found[2][i]) <= bound then
      numbers[#numbers + 1] = 0
      numbers[#numbers + 1] = found[2][i]
    end
  end
  for from = 1, #numbers, 1000 do call('ZADD', ':earlynums', unpack(numbers, from, math.min(#numbers, from + 999))) end
  return scan == '0'
end

local function copy_held_message(number)
  local record = of_source('HGET', ':messages', number)
  if not record then return left > 0 end
  local message, state = read_record(record), read_state(of_source('HGET', ':states', number))
  local member = member_of(number, message)
  -- A retry delay is the source's own: the copy does not wait for it.
  local delayed = state.attempts == 0 and tonumber(of_source('ZSCORE', ':delayed', member) or 0)
  local expires = message.ttl and tonumber(of_source('ZSCORE', ':expiring', member) or state.available + message.ttl)
  store(record, message, delayed and delayed > NOW and delayed or nil, expires)
  return spend(message.bytes)
end

-- Whether all is copied.
local function copy_held()
  while true do
    local numbers = call('ZRANGE', ':earlynums', 0, 99)
    if #numbers == 0 then return true end
    for _, number in ipairs(numbers) do
      local goes_on = copy_held_message(number)
      call('ZREM', ':earlynums', number)
      cursor = tonumber(number)
      if not goes_on then return call('EXISTS', ':earlynums') == 0 end
    end
  end
end

local done = false
if copy_history() then
  if phase == 'h' then
    phase = 's'
    call('UNLINK', ':earlynums')
  end
  if phase == 's' then
    if collect() then phase = 'l' end
  elseif left > 0 and bytes_left > 0 then
    done = copy_held()
  end
end
if seq ~= tonumber(queue.seq or 0) then
  change('seq', seq)
  if idmax > tonumber(queue.idmax or 0) then change('idmax', idmax) end
  use()
end
local following = name
if done then
  following = end_source(name)
else
  call('HSET', ':earlier', name, string.format('%s %.0f %.0f %s %.0f %.0f %s', born, bound, began, phase, offset, cursor, scan))
end
return answer({ 0, following and 1 or 0, following or '' })
