-- Part: which of the ready messages match a filter (MessageFilter.cs). Reading a record copies its body, so one script looks at a bounded
-- number of messages and of bytes; the node goes on from the rank where it stopped.
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

-- The headers of a record by their names; nil where it has none.
local function headers_of(record)
  if not has(record:byte(1), 128) then return nil end
  local message = read_record(record)
  local _, at = struct.unpack('>I2c0', record, message.at)
  if has(message.flags, 32) then _, at = struct.unpack('>I2c0', record, at) end
  local packed, headers = struct.unpack('>I2c0', record, at), {}
  at = 1
  while at <= #packed do
    local name, value
    name, value, at = struct.unpack('>Bc0I2c0', packed, at)
    headers[name] = value
  end
  return headers
end

local function matches(conditions, record)
  local headers = headers_of(record)
  if not headers then return false end
  for _, condition in ipairs(conditions) do
    local value = headers[condition.name]
    if not value or not (condition.present or condition.values[value]) then return false end
  end
  return true
end

-- A chooser as in Part.Choose.lua. Its stopped_at is the rank where the search has to go on; nil where it has seen all.
local function filtered_chooser(packed, rank)
  local conditions, chosen, looks, bytes = read_filter(packed), {}, 0, 0
  local choice = {}

  local function look_at_page()
    if looks >= FILTER_LOOKS or bytes > FILTER_BYTES then
      choice.stopped_at = rank
      return false
    end
    local members = call('ZRANGE', ':ready', rank, rank + FILTER_PAGE - 1, 'WITHSCORES')
    for i = 1, #members, 2 do
      local record = call('HGET', ':messages', number_of(members[i]))
      rank, looks, bytes = rank + 1, looks + 1, bytes + #record
      if matches(conditions, record) then
        chosen[#chosen + 1] = { member = members[i], available = available_of(members[i], members[i + 1]) }
      end
      if bytes > FILTER_BYTES then break end
    end
    return #members > 0
  end

  choice.page = function(from, limit)
    while #chosen < from + limit and look_at_page() do end
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
  choice.remove = function(n)
    for i = 1, n do
      call('ZREM', ':ready', chosen[i].member)
    end
  end
  return choice
end

-- The search found fewer messages than wanted: puts notify for a while although messages are ready, because those do not match.
local function await_matches()
  if filtered_until < NOW + FILTER_WAIT / 2 then change('filtered', NOW + FILTER_WAIT) end
end
