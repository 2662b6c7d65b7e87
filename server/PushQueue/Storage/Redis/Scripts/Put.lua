#!lua
-- uses: Codec, Queue, Advance
-- Puts messages, making the queue if it does not exist.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, 1 for all or none and 0 for each by itself; then per message its record and the time it becomes available (0:
-- now), followed by k where that is kept though it be past, and by b where a worker puts it back.
-- Returns: control; the place of the message that is to blame where all were refused, else 0; per message (or for the one to blame) its
-- number where it is its id, 0: stored under its own id, -1: duplicate, -2: unique key taken, -3: too many messages, -4: too many bytes.
local FIELDS = { 'seq', 'available', 'idmax', 'bytes', 'put', 'dedup', 'maxmsgs', 'maxbytes', 'overflow' }
local queue = open(FIELDS)
if not queue then
  make(KEY, NAME)
  queue = load(FIELDS)
end
use()

local seq, available = tonumber(queue.seq or 0), tonumber(queue.available or 0)
local idmax, dedup = tonumber(queue.idmax or 0), tonumber(queue.dedup or 0) / 10000
local limited = queue.maxmsgs or queue.maxbytes
local bytes = tonumber(queue.bytes or 0) + (counts.bytes or 0)
local taken_ids, taken_keys = {}, {}

local function is_known(id)
  if taken_ids[id] or locate(id) then return true end
  local known = call('ZSCORE', ':known', id)
  return known and tonumber(known) > NOW
end

-- The next number that is nobody's id; nearly always the next one.
local function next_number()
  seq = seq + 1
  while seq <= idmax and (taken_ids[tostring(seq)] or is_known(tostring(seq))) do seq = seq + 1 end
  return seq
end

-- Checks the rules; a code below zero, or what to store.
local function admit(record, at)
  local message = read_record(record)
  if message.id and is_known(message.id) then return -1 end
  if message.unique and (taken_keys[message.unique] or call('HEXISTS', ':keys', message.unique) == 1) then return -2 end
  if message.id then
    taken_ids[message.id] = true
    seq = seq + 1
    message.number = seq
    if #message.id <= 15 and message.id:find('^[1-9]%d*$') then idmax = math.max(idmax, tonumber(message.id)) end
  else
    message.number = next_number()
    taken_ids[tostring(seq)] = true
  end
  if message.unique then taken_keys[message.unique] = true end
  message.record = record
  message.at_time = tonumber(at)
  if not message.at_time then
    local time, kept, back = at:match('^(%d+)(k?)(b?)$')
    message.at_time, message.kept, message.back = tonumber(time), kept ~= '', back ~= ''
  end
  return nil, message
end

-- The oldest ready messages, whatever their priority, one after the other. Read in pages by rank: each band of scores is a priority's.
local function oldest_ready()
  local PAGE = 100
  local bands
  local function count_below(band)
    return call('ZCOUNT', ':ready', '-inf', '(' .. string.format('%.0f', band * BAND))
  end

  local function head_of(band)
    local at = bands[band]
    if not at.page or at.i > #at.page then
      if at.rank >= at.stop then return nil end
      at.page = call('ZRANGE', ':ready', at.rank, math.min(at.rank + PAGE, at.stop) - 1, 'WITHSCORES')
      at.rank, at.i = at.rank + PAGE, 1
    end
    return at.page[at.i], tonumber(at.page[at.i + 1]) - band * BAND
  end

  return function()
    if not bands then
      bands = {}
      for band = 0, 9 do
        bands[band] = { rank = band > 0 and bands[band - 1].stop or count_below(0), stop = count_below(band + 1) }
      end
    end
    local first, first_since, first_band
    for band = 0, 9 do
      local member, since = head_of(band)
      if member and (not first or since < first_since or (since == first_since and member < first)) then
        first, first_since, first_band = member, since, band
      end
    end
    if first then bands[first_band].i = bands[first_band].i + 2 end
    return first
  end
end

-- Records and ready messages go to Redis in groups: a call for each message of a batch takes a quarter longer.
local GROUP = 1000
local records, ready = {}, {}

local function flush()
  if #records > 0 then call('HSET', ':messages', unpack(records)) end
  if #ready > 0 then call('ZADD', ':ready', unpack(ready)) end
  records, ready = {}, {}
end

local function add(group, first, second)
  local n = #group
  group[n + 1], group[n + 2] = first, second
  if n + 2 >= GROUP then flush() end
end

local function become_ready(member, since)
  notify_ready()
  add(ready, score_of(member, since), member)
end

-- Makes room for so many more messages and bytes; 0, or the code of the limit that stands in the way, and then nothing has changed.
local function make_room(more, added_bytes)
  flush()
  local live = call('ZCARD', ':ready') + call('ZCARD', ':delayed') + call('ZCARD', ':leased') + more
  local total = bytes + added_bytes
  local messages_max, bytes_max = tonumber(queue.maxmsgs or NEVER), tonumber(queue.maxbytes or NEVER)
  local dropped, next_oldest = {}, oldest_ready()
  while live > messages_max or total > bytes_max do
    local member = queue.overflow == '1' and next_oldest()
    if not member then return live > messages_max and -3 or -4 end
    local message = read_record(call('HGET', ':messages', number_of(member)))
    dropped[#dropped + 1] = { member = member, message = message }
    live, total = live - 1, total - message.bytes
  end
  for _, drop in ipairs(dropped) do
    local number = number_of(drop.member)
    local state = read_state(call('HGET', ':states', number))
    call('ZREM', ':ready', drop.member)
    forget(number, drop.message)
    count('dropped', 1)
    notify_finished(id_of(number, drop.message), false, nil, state.attempts, 'dropped because the queue was full')
    bytes = bytes - drop.message.bytes
  end
  return 0
end

local function store(message)
  local number = string.format('%015d', message.number)
  local member = number .. message.priority
  add(records, number, message.record)
  if message.id then
    call('HSET', ':ids', message.id, number)
    if dedup > 0 then
      local known = math.floor(NOW + dedup)
      call('ZADD', ':known', known, message.id)
      note_due(known)
    end
  end
  if message.unique then call('HSET', ':keys', message.unique, number) end
  local since = message.at_time
  if since > NOW then
    call('ZADD', ':delayed', since, member)
    note_due(since)
  else
    if not message.kept then
      available = math.max(available, NOW)
      since = available
    end
    become_ready(member, since)
  end
  if message.ttl then
    call('ZADD', ':expiring', since + message.ttl, member)
    note_due(since + message.ttl)
  end
  bytes = bytes + message.bytes
  count('bytes', message.bytes)
  count('put', 1)
  hold(1, message.bytes)
  if message.back then count('failed', 1) end
  return message.id and 0 or message.number
end

local reply = { 0, 0 }

local function put_all()
  local stored, codes, added_bytes = {}, {}, 0
  for i = 4, #ARGV, 2 do
    local code, message = admit(ARGV[i], ARGV[i + 1])
    if code == -2 then return { 0, (i - 2) / 2, code } end
    codes[#codes + 1] = code or message
    if message then
      stored[#stored + 1] = message
      added_bytes = added_bytes + message.bytes
    end
  end
  if limited and #stored > 0 then
    local code = make_room(#stored, added_bytes)
    if code ~= 0 then return { 0, #codes, code } end
  end
  for i, code in ipairs(codes) do
    reply[i + 2] = type(code) == 'table' and store(code) or code
  end
  return reply
end

local function put_each()
  for i = 4, #ARGV, 2 do
    local before = seq
    local code, message = admit(ARGV[i], ARGV[i + 1])
    if message and limited then
      code = make_room(1, message.bytes)
      if code ~= 0 then
        seq = before
        if message.id then taken_ids[message.id] = nil else taken_ids[tostring(message.number)] = nil end
        if message.unique then taken_keys[message.unique] = nil end
        message = nil
      end
    end
    reply[#reply + 1] = message and store(message) or code
  end
  return reply
end

local refused_from = seq
local result = ARGV[3] == '1' and put_all() or put_each()
flush()
if result[2] == 0 and seq ~= refused_from then
  change('seq', seq)
  change('available', available)
  if idmax > tonumber(queue.idmax or 0) then change('idmax', idmax) end
end
return answer(result)
