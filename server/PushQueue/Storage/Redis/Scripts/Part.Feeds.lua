-- Part: which queues get a copy of what is put into the queue in hand.
--
-- The registry is one hash: a queue's name to its subscriptions as the node writes them (entries split by \30; an entry is a name or
-- pattern, then conditions, split by \31), '' to a version that each change raises, '\1' to how many entries there are. On a Redis Cluster
-- there is one for each hash tag, because a script reaches no other slot. A queue keeps what the registry says of it in the fields fed and
-- fedat, the version: so a put reads one field of the registry, and finds its subscribers again only after a change. The field fed is the
-- subscribers, split by \28: a name, and where no entry takes all messages \29 and the conditions of the entries.
local function registry()
  return SUBSCRIPTIONS or KEY:match('^(.-{[^}]*})') .. ':subscriptions'
end

-- The key of a queue's hash. A script knows its own; this is for the others.
local function key_of_queue(name)
  local function encode(part)
    return (part:gsub('[%%{}]', { ['%'] = '%25', ['{'] = '%7B', ['}'] = '%7D' }))
  end
  if SUBSCRIPTIONS then return SUBSCRIPTIONS:match('^(.*){') .. '{' .. encode(name) .. '}:0' end
  local base, tag = KEY:match('^(.-{)'), name:match('^[^{]*{([^}]+)}')
  return tag and base .. encode(tag) .. '}:' .. encode(name) .. ':0' or base .. encode(name) .. '}:0'
end

local function each(text, separator)
  return text:gmatch('[^' .. separator .. ']+')
end

local function fits(pattern, name)
  local star = pattern:find('*', 1, true)
  if not star then return pattern == name end
  if name:sub(1, star - 1) ~= pattern:sub(1, star - 1) then return false end
  local at = star
  while true do
    local next_star = pattern:find('*', star + 1, true)
    local piece = pattern:sub(star + 1, (next_star or 0) - 1)
    if not next_star then
      return #name - #piece + 1 >= at and name:sub(#name - #piece + 1) == piece
    end
    local from, to = name:find(piece, at, true)
    if not from then return false end
    at = to + 1
    star = next_star
  end
end

-- The registry by what its entries name: for one name a list of subscribers and conditions in turn, and a list for the patterns.
local named, patterned
local function read_registry()
  named, patterned = {}, {}
  local all = redis.call('HGETALL', registry())
  for i = 1, #all, 2 do
    if all[i] ~= '' and all[i] ~= '\1' then
      for entry in each(all[i + 1], '\30') do
        local to, where = entry:match('^([^\31]*)\31?(.*)$')
        if to:find('*', 1, true) then
          patterned[#patterned + 1] = { to, all[i], where }
        else
          named[to] = named[to] or {}
          table.insert(named[to], all[i])
          table.insert(named[to], where)
        end
      end
    end
  end
end

-- The subscribers of a queue as the field fed has them; '' for none.
local function find_subscribers(name)
  if name:sub(-5) == '.dead' and #name > 5 then return '' end
  if not named then read_registry() end
  local found, conditions = {}, {}
  local function add(subscriber, where)
    if subscriber == name then return end
    if not conditions[subscriber] then
      conditions[subscriber] = {}
      found[#found + 1] = subscriber
    end
    if where == '' then conditions[subscriber].all = true end
    table.insert(conditions[subscriber], where)
  end
  local exact = named[name] or {}
  for i = 1, #exact, 2 do add(exact[i], exact[i + 1]) end
  for _, entry in ipairs(patterned) do
    if fits(entry[1], name) then add(entry[2], entry[3]) end
  end
  for i, subscriber in ipairs(found) do
    if not conditions[subscriber].all then found[i] = subscriber .. '\29' .. table.concat(conditions[subscriber], '\30') end
  end
  return table.concat(found, '\28')
end

-- The same for the queue in hand, with its fields fed and fedat loaded. Second: whether the fields have to be written.
local version
local function current_subscribers(queue)
  if version == nil then version = redis.call('HGET', registry(), '') end
  if not version then return '', false end
  if queue.fedat == version then return queue.fed, false end
  return find_subscribers(NAME), true
end

local function subscribers(queue)
  local fed, is_new = current_subscribers(queue)
  if is_new then redis.call('HSET', KEY, 'fed', fed, 'fedat', version) end
  return fed
end

-- Whether the queue's messages go to history although nobody listens.
local function feeds_history(queue, fed)
  return fed ~= '' and queue.policy ~= '2' and queue.stopped ~= '1'
end

-- Enters the subscriptions of the queue in hand, whose earlier ones stand in its field subs. False where there would be too many.
local function register(before, after, most)
  local function count_of(entries)
    local n = 0
    for _ in each(entries, '\30') do n = n + 1 end
    return n
  end
  local added = count_of(after) - count_of(before)
  if added > 0 and tonumber(redis.call('HGET', registry(), '\1') or 0) + added > most then return false end
  if before == after then return true end
  if after == '' then
    redis.call('HDEL', registry(), NAME)
  else
    redis.call('HSET', registry(), NAME, after)
  end
  redis.call('HINCRBY', registry(), '', 1)
  redis.call('HINCRBY', registry(), '\1', added)
  return true
end

local function holds(condition, headers)
  local name, values = condition:match('^([^=]*)=(.*)$')
  local value = headers[name or condition]
  if not value or not name then return value ~= nil end
  for allowed in (values .. '|'):gmatch('(.-)|') do
    if allowed == value then return true end
  end
  return false
end

-- Whether a message is wanted: conditions of one entry must hold all, entries are split by \30.
local function wants(entries, headers)
  for entry in each(entries, '\30') do
    local all = true
    for condition in each(entry, '\31') do all = all and holds(condition, headers) end
    if all then return true end
  end
  return false
end

-- The record of a copy: without what belongs to the put alone, its unique key and its own limits of attempts.
local function copied_record(record, message)
  local flags, middle = message.flags, ''
  if not (has(flags, 2) or has(flags, 4) or has(flags, 8)) then return record end
  for _, flag in ipairs({ 2, 4, 8 }) do
    if has(flags, flag) then flags = flags - flag end
  end
  if message.ttl then middle = struct.pack('>d', message.put + message.ttl) end
  if message.id then middle = middle .. text(message.id) end
  if message.key then middle = middle .. text(message.key) end
  local kind = record:sub(message.at, message.length)
  local length = 14 + #middle + #kind
  return struct.pack('>BI4c1d', flags, length, message.priority, message.put) .. middle .. kind .. record:sub(message.length + 1)
end
