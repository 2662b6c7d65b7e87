-- Part: which of the ready messages match a filter (MessageFilter.cs). Reading a record copies its body, so one script looks at a bounded
-- number of messages and of bytes; the node continues after the message where it stopped, wherever that stands by then.
local FILTER_LOOKS, FILTER_BYTES, FILTER_PAGE = 1000, 4 * 1024 * 1024, 50
-- How long puts notify although the queue has ready messages, once a search has found too few.
local FILTER_WAIT = 90000

local function read_filter(packed)
  local conditions, at = {}, 1
  while at <= #packed do
    local condition, values = { values = {} }, nil
    condition.name, values, at = struct.unpack('>Bc0I2', packed, at)
    condition.present = values == 0
    for _ = 1, values do
      local value
      value, at = struct.unpack('>I2c0', packed, at)
      condition.values[value] = true
    end
    conditions[#conditions + 1] = condition
  end
  return conditions
end

local function matches(conditions, record)
  if not has(record:byte(1), 128) then return false end
  local headers = headers_of(record, read_record(record))
  for _, condition in ipairs(conditions) do
    local value = headers[condition.name]
    if not value or not (condition.present or condition.values[value]) then return false end
  end
  return true
end

-- A chooser as in Part.Choose.lua, for all steps of a script: each page continues after the last message that was taken out. If keys
-- take turns, a filter does not: it keeps to the queue's order, and messages with a key stand in :blocked. from: the place where an
-- earlier script stopped, as stopped_at returns it.
local function filtered_chooser(packed, from)
  local conditions, chosen, looks, bytes, removed = read_filter(packed), {}, 0, 0, false
  local fair, window = HAS_KEYS and loaded.fair == '1', nil
  local choice = { stopped = false, page_max = fair and 1 or 64 }
  local from_score, from_member = from:match('^(%S+) (%S+)$')

  local function first_rank(suffix)
    return from_score and rank_behind(suffix, from_score, from_member) or 0
  end

  -- The rank among :ready of the next message to look at; where keys take turns, its index in the window, less one.
  local rank = fair and 0 or first_rank(':ready')

  -- Both sets as one, in their order.
  local function read_window()
    local function part(suffix)
      local first = first_rank(suffix)
      return call('ZRANGE', suffix, first, first + FILTER_LOOKS + FILTER_PAGE - 1, 'WITHSCORES')
    end
    local ready, blocked, i, j = part(':ready'), part(':blocked'), 1, 1
    window = {}
    while (ready[i] or blocked[j]) and #window < FILTER_LOOKS + FILTER_PAGE do
      local one, other = tonumber(ready[i + 1]), tonumber(blocked[j + 1])
      if one and (not other or one < other or (one == other and ready[i] < blocked[j])) then
        window[#window + 1] = { ready[i], ready[i + 1], 'r' }
        i = i + 2
      else
        window[#window + 1] = { blocked[j], blocked[j + 1], 'b' }
        j = j + 2
      end
    end
  end

  local function next_page()
    local page = {}
    if fair then
      if not window then read_window() end
      for i = 1, FILTER_PAGE do page[i] = window[rank + i] end
      return page
    end
    local members = call('ZRANGE', ':ready', rank, rank + FILTER_PAGE - 1, 'WITHSCORES')
    for i = 1, #members, 2 do page[#page + 1] = { members[i], members[i + 1], 'r' } end
    return page
  end

  local function may_go(member, where, record)
    if where == 'r' then return true end
    local name = read_record(record).key
    return keys().in_line(name, 0) == member and keys().room(name) > 0
  end

  local function look_at_page(limit)
    if looks >= FILTER_LOOKS or bytes > FILTER_BYTES then
      choice.stopped = true
      return false
    end
    local page = next_page()
    for _, entry in ipairs(page) do
      local member, score, where = entry[1], entry[2], entry[3]
      local record = call('HGET', ':messages', number_of(member))
      rank, looks, bytes = rank + 1, looks + 1, bytes + #record
      if matches(conditions, record) and may_go(member, where, record) then
        chosen[#chosen + 1] = { member = member, available = available_of(member, score), where = where, rank = rank }
        if #chosen == limit then break end
      end
      if bytes > FILTER_BYTES then break end
    end
    return #page > 0
  end

  choice.page = function(from, limit)
    if removed then chosen, removed = {}, false end
    while #chosen < from + limit and look_at_page(from + limit) do end
    local members = {}
    for i = from + 1, math.min(from + limit, #chosen) do
      members[#members + 1] = chosen[i].member
      members[#members + 1] = chosen[i].available
    end
    return members
  end
  choice.place = function()
    return 'r'
  end
  choice.where = function(i)
    return chosen[i].where
  end
  choice.remove = function(n)
    local has_plain = false
    for i = 1, n do
      if chosen[i].where == 'r' then call('ZREM', ':ready', chosen[i].member) end
      has_plain = has_plain or not is_keyed(chosen[i].member)
    end
    if window then table.remove(window, chosen[n].rank) end
    if fair and has_plain then redis.call('HSET', KEY, 'plainturn', redis.call('HINCRBY', KEY, 'turn', 1)) end
    rank = chosen[n].rank - n
    removed = true
  end
  -- A message of the key was taken out: another one of it may stand before the place where the search goes on.
  choice.settle = function(name)
    if fair then keys().serve(name) else keys().settle(name) end
    local head = keys().in_line(name, 0)
    if not head then return end
    if not fair then
      rank = math.min(rank, tonumber(call('ZRANK', ':ready', head) or rank))
      return
    end
    for i = 1, rank do
      if window[i][1] == head then
        rank = i - 1
        return
      end
    end
  end
  -- Where the search of the next script goes on: s, how many messages this one looked at, and score and member of the last one that is
  -- behind it (none: from the beginning). Nil where this script has seen all.
  choice.stopped_at = function()
    if not choice.stopped then return nil end
    local place = fair and from or ''
    local last = fair and window[rank] or rank > 0 and call('ZRANGE', ':ready', rank - 1, rank - 1, 'WITHSCORES')
    if last and last[1] then place = last[2] .. ' ' .. last[1] end
    return string.format('s%d ', looks) .. place
  end
  return choice
end

-- The search found fewer messages than wanted: puts notify for a while although messages are ready, because those do not match.
local function await_matches()
  if filtered_until < NOW + FILTER_WAIT / 2 then change('filtered', NOW + FILTER_WAIT) end
end
