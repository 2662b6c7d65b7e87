-- Part: one queue. KEYS[1] is its hash; its other keys are KEYS[1] with a suffix, so all share a hash tag, with those of its dead-letter
-- queue too. ARGV[1] is the time (Unix milliseconds), ARGV[2] the caller: the number of the node
-- (16 digits) and then the queue's name.
--
-- Suffixes: :ready, :delayed, :leased, :expiring (sorted sets of members), :bound (leases with an end that end with their node, too),
-- :callers (leases by their end by the caller's clock), :messages (records), :states, :ids (client's id to number), :keys (unique key to
-- number), :known (ids of the dedup window by their end), :history (offset to message), :rounds (when which offsets were broadcast). A
-- member is the message's number, 15 digits, and its priority, as a digit, or as a letter (@ to I) where it has a key that counts. Its
-- score among the ready orders first by priority, then by time; among the leased it is the end, or the number
-- of the node (2^52 and above) whose life is the lease's.
local KEY, NOW, NODE, NAME = KEYS[1], tonumber(ARGV[1]), ARGV[2]:sub(1, 16), ARGV[2]:sub(17)
local BAND = 4398046511104
local NODES = 1125899906842624
local NEVER = math.huge

local due_before, due_after, is_listed, due_is_stale
local flags = 0
-- How many more messages, and bytes of them, there are in the end, in this queue and in those that it shares its hash tag with.
local more_messages, more_bytes = 0, 0
local counts, loaded, changes, notifications = {}, {}, {}, {}
-- Whether nodes were notified of ready messages if need be, and whether the messages without a key take part in the turns of keys.
local ready_checked, plain_checked = false, false
-- Until when consumers with a filter may wait for messages although some are ready.
local filtered_until = 0
-- The rules for keys (Part.Keys.lua), made when they are first needed. They hold in every queue but those of dead letters.
local keys, key_rules
local HAS_KEYS = KEY:sub(-2) == ':0'

local function call(command, suffix, ...)
  return redis.call(command, KEY .. suffix, ...)
end

local function number_of(member)
  return member:sub(1, 15)
end

local function is_keyed(member)
  return member:byte(16) > 57
end

local function member_of(number, message)
  if message.key and HAS_KEYS then return number .. string.char(message.priority:byte() + 16) end
  return number .. message.priority
end

local function id_of(number, message)
  return message.id or (number:gsub('^0+', ''))
end

local function band_of(member)
  local digit = member:byte(16)
  return (57 - (digit > 57 and digit - 16 or digit)) * BAND
end

local function score_of(member, available)
  return band_of(member) + available
end

local function available_of(member, score)
  return tonumber(score) - band_of(member)
end

local function count(field, by)
  counts[field] = (counts[field] or 0) + by
end

-- Sets a field of the queue's hash when the script ends; all of them in one command.
local function change(field, value)
  changes[#changes + 1] = field
  changes[#changes + 1] = value
end

-- A notification to all nodes: its kind (RedisNotification.cs) and texts.
local function notify(kind, ...)
  local parts = { kind }
  for i = 1, select('#', ...) do
    parts[i + 1] = text((select(i, ...)))
  end
  notifications[#notifications + 1] = table.concat(parts)
end

-- receipt: of the recorded lease that an ack ended.
local function notify_finished(id, acked, worker, attempts, reason, receipt)
  notify('Finished', id, acked and '1' or '0', worker or '', tostring(attempts), reason or '', receipt or '')
end

local function note_due(at)
  if at < due_after then
    due_after = at
  end
end

-- Called before a message becomes ready. Nodes are notified if the queue had no ready message: a node that found none waits, a node that
-- found some continues. They are always notified while consumers with a filter wait.
local function notify_ready(suffix)
  if not ready_checked then
    ready_checked = true
    if filtered_until > NOW or redis.call('EXISTS', KEY .. (suffix or ':ready')) == 0 then notify('Ready') end
  end
end

-- Where keys take turns, the messages without a key are one of them: it joins the others with its first message. Called before that is
-- ready.
local function join_plain()
  if call('EXISTS', ':ready') == 0 then
    redis.call('HSET', KEY, 'plainturn', redis.call('HINCRBY', KEY, 'turn', 1))
  end
end

local function add_ready(member, available)
  if not is_keyed(member) and not plain_checked then
    plain_checked = true
    if HAS_KEYS and redis.call('HGET', KEY, 'fair') == '1' then join_plain() end
  end
  notify_ready()
  call('ZADD', ':ready', score_of(member, available), member)
end

-- Makes the hash of a queue. More than 64 bytes in one field make it a real hash table, which is faster to read than a packed list.
local function make(key, name)
  local time = redis.call('TIME')
  local epoch = redis.sha1hex(name .. ':' .. time[1] .. ':' .. time[2] .. ':' .. INCARNATION):sub(1, 8)
  redis.call('HSET', key, 'epoch', epoch, 'incarnation', INCARNATION, 'name', name,
    'format', '1: a queue of PushQueue; what the fields of this hash mean stands in docs/redis.md')
  return epoch
end

local function load(fields)
  local values = redis.call('HMGET', KEY, 'epoch', 'due', 'listed', 'expires', 'used', 'filtered', unpack(fields))
  if not values[1] then
    return nil
  end
  local queue = { epoch = values[1], expires = tonumber(values[4] or 0), used = tonumber(values[5] or 0) }
  for i = 1, #fields do
    queue[fields[i]] = values[i + 6]
  end
  loaded = queue
  due_before = tonumber(values[2] or NEVER)
  due_after = due_before
  is_listed = values[3]
  filtered_until = tonumber(values[6] or 0)
  return queue
end

-- A client uses the queue now, as opposed to looking at it: the queue stays for as long as its setting says. That only moves its end away.
local function use()
  if loaded.expires > 0 and loaded.used < NOW then
    loaded.used = NOW
    change('used', string.format('%.0f', NOW))
  end
end

-- When the queue has been unused for as long as its setting says.
local function unused_at()
  return loaded.expires > 0 and loaded.used + math.ceil(loaded.expires / 10000) or NEVER
end

-- The position of the broadcast: epoch, first offset in history, next offset, first offset of the epoch. The epoch is another one where
-- Redis may have lost offsets that it had given out: in another incarnation, or if the calling node knows of a higher one.
local POSITION = { 'first', 'next', 'incarnation', 'epochoffset' }
local function position(queue, known)
  local next_offset, epoch, from = tonumber(queue.next or 1), queue.epoch, tonumber(queue.epochoffset or 1)
  local first = tonumber(queue.first or 1)
  if queue.incarnation ~= INCARNATION or known > next_offset then
    if known > next_offset and redis.call('EXISTS', KEY .. ':history') == 0 then
      -- Nothing is left of these offsets, so readers need not look for each of them.
      first = known
      redis.call('HSET', KEY, 'first', first)
    end
    next_offset = math.max(next_offset, known)
    epoch, from = make(KEY, NAME), next_offset
    redis.call('HSET', KEY, 'next', next_offset, 'epochoffset', from)
  end
  return epoch, first, next_offset, from
end

-- The live message of that id: its number and record.
local function locate(id)
  if #id <= 15 and id:find('^[1-9]%d*$') then
    local number = ('0'):rep(15 - #id) .. id
    local record = call('HGET', ':messages', number)
    if record and not has(record:byte(1), 1) then
      return number, record
    end
  end
  local number = call('HGET', ':ids', id)
  if number then
    return number, call('HGET', ':messages', number)
  end
end

local function hold(messages, bytes)
  more_messages, more_bytes = more_messages + messages, more_bytes + bytes
end

-- The message, already out of its order, is gone.
local function forget(number, message)
  call('HDEL', ':messages', number)
  call('HDEL', ':states', number)
  if message.id then call('HDEL', ':ids', message.id) end
  if message.unique then call('HDEL', ':keys', message.unique) end
  if message.ttl then call('ZREM', ':expiring', member_of(number, message)) end
  count('bytes', -message.bytes)
  hold(-1, -message.bytes)
  if message.key and HAS_KEYS then keys().settle(message.key) end
end

local function leave_leases(member, state, message)
  if message.key and HAS_KEYS then keys().end_lease(message.key) end
  call('ZREM', ':leased', member)
  if state.node ~= 0 and state.lease_end ~= 0 then call('ZREM', ':bound', member) end
  if state.callers_end then call('ZREM', ':callers', member) end
end

local function publish()
  if #notifications > 0 then
    redis.call('PUBLISH', CHANNEL, text(NODE .. NAME) .. table.concat(notifications))
  end
end

-- Ends the work on a queue: writes counters, the next due time and the notifications. Returns the follow-up work of the node: a due time
-- (if it came nearer) times 8, plus 1 if the queue is not in the directory, 2 if its dead-letter queue is not, 4 if the queue of its dead
-- letters is not.
local function settle()
  if key_rules then key_rules.finish() end
  for field, by in pairs(counts) do
    local value = loaded[field]
    if value ~= nil then
      change(field, tonumber(value or 0) + by)
    elseif by ~= 0 then
      redis.call('HINCRBY', KEY, field, by)
    end
  end
  if due_after ~= due_before or due_is_stale then
    if due_after == NEVER then
      redis.call('HDEL', KEY, 'due')
    else
      change('due', due_after)
    end
  end
  if #changes > 0 then redis.call('HSET', KEY, unpack(changes)) end
  publish()
  if not is_listed then flags = flags + 1 end
  return (due_after < due_before and due_after * 8 or 0) + flags
end

-- The state that the functions of this part keep of the queue in hand, for a script that goes to another queue and comes back.
local function set_aside()
  return { KEY, NAME, due_before, due_after, is_listed, due_is_stale, flags, counts, loaded, changes, notifications, ready_checked,
    plain_checked, filtered_until, key_rules or false, HAS_KEYS }
end

local function resume(parts)
  KEY, NAME, due_before, due_after, is_listed, due_is_stale, flags, counts, loaded, changes, notifications, ready_checked,
    plain_checked, filtered_until, key_rules, HAS_KEYS = unpack(parts, 1, 16)
end

-- Goes to another queue, whose fields are loaded next.
local function begin(key, name)
  resume({ key, name, nil, nil, nil, nil, 0, {}, {}, {}, {}, false, false, 0, false, key:sub(-2) == ':0' })
end

-- Ends every script on a queue. The first element of the answer is the control: the follow-up work of the node. If messages came or went it
-- is a text: that number, the change in messages, and the change in bytes.
local function answer(reply)
  reply[1] = settle()
  if more_messages ~= 0 then reply[1] = string.format('%.0f %d %d', reply[1], more_messages, more_bytes) end
  return reply
end
