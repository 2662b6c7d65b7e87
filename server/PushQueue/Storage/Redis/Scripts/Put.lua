#!lua
-- uses: PlainKeys, PlainPut, Codec, Queue, Keys, Advance, Headers, Feeds
-- Puts messages, making the queue if it does not exist, and copies of them into the queues that subscribe to it.
-- KEYS: the queue's hash. On a Redis Cluster all keys of the queue, and those of its subscribers as far as the node knows them.
-- ARGV: time, the caller, 1 for all or none and 0 for each by itself; then per message its record and the time it becomes available (0:
-- now), followed by k where that is kept though it be past, and by b where a worker puts it back.
-- Returns: control; the place of the message that is to blame where all were refused, else 0; per message (or for the one to blame) its
-- number where it is its id, 0: stored under its own id, -1: duplicate, -2: unique key taken, -3: too many messages, -4: too many bytes,
-- -5: too many copies, -6: not tried because those before it made many copies; -3 and -4 followed by a space and a name where a subscriber
-- is to blame. Where all went well and the queue has subscribers then 1
-- if its messages go to history although nobody listens, else 0; per message how many copies of it were put. Last, per subscriber for
-- which there is follow-up work, its name and control.
-- Or: -2 in the place of control and the field fed, where subscribers' keys are missing; nothing was done.
local FIELDS = {
  'seq', 'available', 'idmax', 'bytes', 'put', 'dedup', 'maxmsgs', 'maxbytes', 'overflow', 'policy', 'stopped', 'fed', 'fedat',
  'fair',
}

-- Before anything is changed: the subscribers, where the script was not given all their keys.
local function undeclared()
  local found = redis.call('HMGET', KEY, 'fed', 'fedat')
  local fed = current_subscribers({ fed = found[1], fedat = found[2] })
  local declared = {}
  for _, key in ipairs(KEYS) do declared[key] = true end
  for feed in each(fed, '\28') do
    if not declared[key_of_queue(feed:match('^[^\29]*'))] then return fed end
  end
end

local missing = not SUBSCRIPTIONS and undeclared()
if missing then return { -2, missing } end

local queue = open(FIELDS)
if not queue then
  make(KEY, NAME)
  notify('Made')
  queue = load(FIELDS)
end
use()

local fed = subscribers(queue)

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

-- Gives an admitted message its number, and reserves its id.
local function give_number(message)
  if message.id then
    taken_ids[message.id] = true
    seq = seq + 1
    message.number = seq
    if #message.id <= 15 and message.id:find('^[1-9]%d*$') then idmax = math.max(idmax, tonumber(message.id)) end
  else
    message.number = next_number()
    taken_ids[tostring(seq)] = true
  end
end

-- Checks the rules; a code below zero, or what to store.
local function admit(record, at)
  local message = read_record(record)
  if message.id and is_known(message.id) then return -1 end
  if message.unique and (taken_keys[message.unique] or call('HEXISTS', ':keys', message.unique) == 1) then return -2 end
  give_number(message)
  if message.unique then taken_keys[message.unique] = true end
  message.record = record
  message.at_time = tonumber(at)
  if not message.at_time then
    local time, kept, back = at:match('^(%d+)(k?)(b?)$')
    message.at_time, message.kept, message.back = tonumber(time), kept ~= '', back ~= ''
  end
  return nil, message
end

-- The oldest ready messages, whatever their priority, and whether their keys wait or not, one after the other. Read in pages by rank: each
-- band of scores is a priority's.
local function oldest_ready()
  local PAGE = 100
  local bands

  local function find_bands()
    bands = {}
    for _, suffix in ipairs({ ':ready', ':blocked' }) do
      local stop = call('ZCOUNT', suffix, '-inf', '(0')
      for band = 0, call('EXISTS', suffix) * 10 - 1 do
        local rank = stop
        stop = call('ZCOUNT', suffix, '-inf', '(' .. string.format('%.0f', (band + 1) * BAND))
        bands[#bands + 1] = { suffix = suffix, first = band * BAND, rank = rank, stop = stop }
      end
    end
  end

  local function head_of(at)
    if not at.page or at.i > #at.page then
      if at.rank >= at.stop then return nil end
      at.page = call('ZRANGE', at.suffix, at.rank, math.min(at.rank + PAGE, at.stop) - 1, 'WITHSCORES')
      at.rank, at.i = at.rank + PAGE, 1
    end
    return at.page[at.i], tonumber(at.page[at.i + 1]) - at.first
  end

  return function()
    if not bands then find_bands() end
    local first, first_since, first_band
    for _, band in ipairs(bands) do
      local member, since = head_of(band)
      if member and (not first or since < first_since or (since == first_since and member < first)) then
        first, first_since, first_band = member, since, band
      end
    end
    if first then first_band.i = first_band.i + 2 end
    return first, first_since
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

-- Finds room for so many more messages and bytes: 0 and what must be dropped for it, or the code of the limit that stands in the way.
local function find_room(more, added_bytes)
  flush()
  local live = call('ZCARD', ':ready') + call('ZCARD', ':blocked') + call('ZCARD', ':delayed') + call('ZCARD', ':leased') + more
  local total = bytes + added_bytes
  local messages_max, bytes_max = tonumber(queue.maxmsgs or NEVER), tonumber(queue.maxbytes or NEVER)
  local dropped, next_oldest = {}, oldest_ready()
  while live > messages_max or total > bytes_max do
    local member, since
    if queue.overflow == '1' then member, since = next_oldest() end
    if not member then return live > messages_max and -3 or -4 end
    local message = read_record(call('HGET', ':messages', number_of(member)))
    dropped[#dropped + 1] = { member = member, message = message, since = since }
    live, total = live - 1, total - message.bytes
  end
  return 0, dropped
end

local function drop_all(dropped)
  for _, drop in ipairs(dropped) do
    local number = number_of(drop.member)
    local state = read_state(call('HGET', ':states', number))
    if is_keyed(drop.member) then
      keys().leave_ready(drop.member, drop.message.key, drop.since, state)
    else
      call('ZREM', ':ready', drop.member)
    end
    forget(number, drop.message)
    count('dropped', 1)
    notify_finished(id_of(number, drop.message), false, nil, state.attempts, 'dropped because the queue was full')
    bytes = bytes - drop.message.bytes
  end
end

local function store(message)
  local number = string.format('%015d', message.number)
  local member = member_of(number, message)
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
    if is_keyed(member) then keys().delay(message.key) end
  else
    if not message.kept then
      available = math.max(available, NOW)
      since = available
    end
    if is_keyed(member) then
      -- A message that keeps a past time may pass another one that is in the group.
      if message.kept then flush() end
      keys().ready(member, message.key, since, become_ready, message.kept)
    else
      if queue.fair == '1' and #ready == 0 then join_plain() end
      become_ready(member, since)
    end
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

-- The state that the functions above keep of one queue, so that they serve one after another.
local function put_aside()
  return { set_aside(), queue, seq, available, idmax, dedup, limited, bytes, taken_ids, taken_keys, records, ready }
end

local function take_up(hand)
  local parts
  parts, queue, seq, available, idmax, dedup, limited, bytes, taken_ids, taken_keys, records, ready = unpack(hand, 1, 12)
  resume(parts)
end

-- Writes what is left of the queue in hand.
local function finish(seq_before)
  flush()
  if seq ~= seq_before then
    change('seq', seq)
    change('available', available)
    if idmax > tonumber(queue.idmax or 0) then change('idmax', idmax) end
  end
end

-- Goes to a queue that gets copies; false where it was deleted, and its subscriptions with it.
local function go_to(name)
  begin(key_of_queue(name), name)
  queue = open(FIELDS)
  if not queue then return false end
  seq, available, idmax = tonumber(queue.seq or 0), tonumber(queue.available or 0), tonumber(queue.idmax or 0)
  dedup, limited = tonumber(queue.dedup or 0) / 10000, queue.maxmsgs or queue.maxbytes
  bytes = tonumber(queue.bytes or 0) + (counts.bytes or 0)
  taken_ids, taken_keys, records, ready = {}, {}, {}, {}
  return true
end

-- The subscribers, each with its hand; found when they are first needed.
local feeds
local function all_feeds()
  if feeds then return feeds end
  feeds = {}
  local own = put_aside()
  for entry in each(fed, '\28') do
    local name, conditions = entry:match('^([^\29]*)\29?(.*)$')
    if go_to(name) then feeds[#feeds + 1] = { name = name, conditions = conditions, seq_before = seq, hand = put_aside() } end
  end
  take_up(own)
  return feeds
end

-- The copy of a message for the queue in hand; nil where its id is known there.
local function admit_copy(message)
  if message.id and is_known(message.id) then return nil end
  local copy = {}
  for field, value in pairs(message) do copy[field] = value end
  copy.unique, copy.attempts, copy.retry1, copy.retry2 = nil, nil, nil, nil
  copy.record = copied_record(message.record, message)
  copy.bytes = message.bytes
  give_number(copy)
  return copy
end

-- Checks the rules of all subscribers for messages that were admitted; a code with the subscriber's name, and then nothing has changed.
-- A message that a worker puts back was copied when it came.
local function plan_copies(messages)
  local own, code, planned = put_aside(), nil, 0
  for _, feed in ipairs(all_feeds()) do
    take_up(feed.hand)
    feed.before, feed.copies, feed.dropped = { seq, idmax }, {}, nil
    local added_bytes = 0
    for _, message in ipairs(messages) do
      if not message.back and (feed.conditions == '' or wants(feed.conditions, message.headers)) then
        local copy = admit_copy(message)
        if copy then
          feed.copies[#feed.copies + 1] = copy
          added_bytes = added_bytes + copy.bytes
          message.copies = message.copies + 1
        end
      end
    end
    local limit = 0
    if limited and #feed.copies > 0 then limit, feed.dropped = find_room(#feed.copies, added_bytes) end
    feed.hand = put_aside()
    planned = planned + #feed.copies
    if limit ~= 0 then code = limit .. ' ' .. feed.name elseif planned > MOST_COPIES then code = -5 end
    if code then break end
  end
  if code then
    for _, feed in ipairs(feeds) do
      if feed.copies then
        take_up(feed.hand)
        seq, idmax = unpack(feed.before)
        for _, copy in ipairs(feed.copies) do taken_ids[copy.id or tostring(copy.number)] = nil end
        feed.hand, feed.copies = put_aside(), nil
      end
    end
  end
  take_up(own)
  return code
end

local function store_copies()
  local own = put_aside()
  for _, feed in ipairs(feeds) do
    if feed.copies and #feed.copies > 0 then
      take_up(feed.hand)
      use()
      if feed.dropped then drop_all(feed.dropped) end
      for _, copy in ipairs(feed.copies) do store(copy) end
      feed.hand = put_aside()
    end
    feed.copies = nil
  end
  take_up(own)
end

-- Ends the scripts' work on the subscribers; their names and follow-up work.
local function finish_copies(reply)
  local own = put_aside()
  for _, feed in ipairs(feeds or {}) do
    take_up(feed.hand)
    if seq ~= feed.seq_before and feeds_history(queue, subscribers(queue)) then notify('Feeding') end
    finish(feed.seq_before)
    local control = settle()
    if control ~= 0 then
      reply[#reply + 1] = feed.name
      reply[#reply + 1] = control
    end
  end
  take_up(own)
end

local function prepare(message)
  message.copies = 0
  message.headers = fed:find('\29', 1, true) and headers_of(message.record, message)
end

local reply, copies = { 0, 0 }, {}
-- After so many copies, messages that are put each by itself wait for another script: so that no other call waits long for Redis.
local COPIES_AT_ONCE = 10000

-- Stores messages that were admitted, and their copies; the code of what stands in the way, and then nothing has changed.
local function store_admitted(messages, added_bytes)
  local code, dropped = 0, nil
  if limited then
    code, dropped = find_room(#messages, added_bytes)
    if code ~= 0 then return code end
  end
  if fed ~= '' then
    for _, message in ipairs(messages) do prepare(message) end
    code = plan_copies(messages)
    if code then return code end
  end
  if dropped then drop_all(dropped) end
  for _, message in ipairs(messages) do message.stored = store(message) end
  if fed ~= '' then store_copies() end
end

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
  if #stored > 0 then
    local code = store_admitted(stored, added_bytes)
    if code then return { 0, #codes, code } end
  end
  for i, code in ipairs(codes) do
    reply[i + 2] = type(code) == 'table' and code.stored or code
    copies[i] = type(code) == 'table' and code.copies or 0
  end
  return reply
end

local function put_each()
  local made = 0
  for i = 4, #ARGV, 2 do
    local before, code, message = seq, -6, nil
    if made < COPIES_AT_ONCE then code, message = admit(ARGV[i], ARGV[i + 1]) end
    if message then
      code = store_admitted({ message }, message.bytes)
      if code then
        seq = before
        if message.id then taken_ids[message.id] = nil else taken_ids[tostring(message.number)] = nil end
        if message.unique then taken_keys[message.unique] = nil end
        message = nil
      end
    end
    reply[#reply + 1] = message and message.stored or code
    copies[#copies + 1] = message and message.copies or 0
    made = made + copies[#copies]
  end
  return reply
end

local refused_from = seq
local result = ARGV[3] == '1' and put_all() or put_each()
if result[2] == 0 then
  finish(refused_from)
  if fed ~= '' then
    result[#result + 1] = feeds_history(queue, fed) and 1 or 0
    for i = 1, #copies do result[#result + 1] = copies[i] end
  end
else
  flush()
end
finish_copies(result)
return answer(result)
