-- Part: which messages are given out next. By the queue's order; where keys take turns, by these; or, where due_by is given, by the
-- caller's clock: the earliest times up to that, ready or delayed, whatever their priority. Blocked messages (Part.Keys.lua) are passed
-- over.
-- Scripts that use it load the queue's field fair.

-- Where keys take turns: the messages without a key are one key. takes: the messages are gone at once, so that no key is blocked by them.
local function chooser_by_turns(takes)
  local chosen, served, bands, lowest = {}, {}, nil, 0
  local plain_taken, plain_turn = 0, tonumber(redis.call('HGET', KEY, 'plainturn') or 0)

  local function join(name, member, turn)
    local band = bands[band_of(member) / BAND]
    lowest = math.min(lowest, band_of(member) / BAND)
    local at = #band + 1
    while turn and at > 1 and band[at - 1].turn and band[at - 1].turn > turn do at = at - 1 end
    table.insert(band, at, { name = name, member = member, turn = turn })
  end

  local function join_plain(turn)
    local member = call('ZRANGE', ':ready', plain_taken, plain_taken)[1]
    if member then join(nil, member, turn) end
  end

  local function join_key(name, turn)
    local taken = served[name] or 0
    if not takes and keys().room(name) <= taken then return end
    local member = keys().in_line(name, taken)
    if member then join(name, member, turn) end
  end

  local function choose(limit)
    chosen, served, plain_taken, bands = {}, {}, 0, {}
    for band = 0, 9 do bands[band] = { first = 1 } end
    local turns = call('ZRANGE', ':turn', 0, limit - 1, 'WITHSCORES')
    for i = 1, #turns, 2 do join_key(turns[i], tonumber(turns[i + 1]) % BAND) end
    join_plain(plain_turn)
    lowest = 0
    while #chosen < limit and lowest <= 9 do
      local band = bands[lowest]
      local turn = band[band.first]
      if turn then
        band.first = band.first + 1
        local score = call('ZSCORE', turn.name and ':blocked' or ':ready', turn.member)
        chosen[#chosen + 1] = { member = turn.member, available = available_of(turn.member, score), name = turn.name }
        -- The next message of the key may have a higher priority.
        if turn.name then
          served[turn.name] = (served[turn.name] or 0) + 1
          join_key(turn.name)
        else
          plain_taken = plain_taken + 1
          join_plain()
        end
      else
        lowest = lowest + 1
      end
    end
  end

  return {
    page = function(from, limit)
      if #chosen < from + limit then choose(from + limit) end
      local members = {}
      for i = from + 1, math.min(from + limit, #chosen) do
        members[#members + 1] = chosen[i].member
        members[#members + 1] = chosen[i].available
      end
      return members
    end,
    place = function()
      return 'r'
    end,
    where = function()
      return 'b'
    end,
    count = function()
      return call('ZCARD', ':ready') + call('ZCARD', ':turn')
    end,
    -- Called before the messages are gone or leased.
    remove = function(n)
      for i = 1, n do
        if not chosen[i].name then call('ZREM', ':ready', chosen[i].member) end
      end
    end,
    -- Called once they are: their keys go behind the others.
    serve = function(n)
      local last, plain = {}, nil
      for i = 1, n do
        if chosen[i].name then last[chosen[i].name] = i else plain = i end
      end
      for i = 1, n do
        if i == plain then
          redis.call('HSET', KEY, 'plainturn', redis.call('HINCRBY', KEY, 'turn', 1))
        elseif chosen[i].name and last[chosen[i].name] == i then
          keys().serve(chosen[i].name)
        end
      end
    end,
  }
end

local function chooser(due_by, takes)
  if not due_by and HAS_KEYS and loaded.fair == '1' then return chooser_by_turns(takes) end
  if not due_by then
    return {
      page = function(from, limit)
        local members = call('ZRANGE', ':ready', from, from + limit - 1, 'WITHSCORES')
        for i = 1, #members, 2 do
          members[i + 1] = available_of(members[i], members[i + 1])
        end
        return members
      end,
      -- Where the i-th message stands.
      place = function()
        return 'r'
      end,
      -- Its place in its key, if it has one (Part.Keys.lua).
      where = function()
        return 'r'
      end,
      count = function()
        return call('ZCARD', ':ready')
      end,
      -- Takes the first messages out of their order.
      remove = function(n)
        call('ZREMRANGEBYRANK', ':ready', 0, n - 1)
      end,
    }
  end

  local chosen

  -- At most one message of a key, the first: more are given out by the next call.
  local function may_go(entry, seen)
    if not is_keyed(entry.member) then return true end
    local number = number_of(entry.member)
    local name = read_record(call('HGET', ':messages', number)).key
    if seen[name] then return false end
    local goes
    if entry.suffix == ':delayed' then
      goes = keys().may_go_early(name, read_state(call('HGET', ':states', number)))
    else
      goes = keys().in_line(name, 0) == entry.member and (entry.suffix == ':ready' or keys().room(name) > 0)
    end
    seen[name] = goes
    return goes
  end

  local function due_up_to(limit)
    local entries = {}
    for _, suffix in ipairs({ ':ready', ':blocked' }) do
      for band = 0, call('EXISTS', suffix) * 10 - 1 do
        local ready = call('ZRANGEBYSCORE', suffix, band * BAND, band * BAND + due_by, 'WITHSCORES', 'LIMIT', 0, limit)
        for i = 1, #ready, 2 do
          entries[#entries + 1] = { member = ready[i], available = available_of(ready[i], ready[i + 1]), suffix = suffix }
        end
      end
    end
    local delayed = call('ZRANGEBYSCORE', ':delayed', '-inf', due_by, 'WITHSCORES', 'LIMIT', 0, limit)
    for i = 1, #delayed, 2 do
      entries[#entries + 1] = { member = delayed[i], available = tonumber(delayed[i + 1]), suffix = ':delayed' }
    end
    table.sort(entries, function(a, b)
      if a.available ~= b.available then return a.available < b.available end
      return a.member < b.member
    end)
    return entries
  end

  local function choose(limit)
    local window = limit
    while true do
      local found, seen, entries = {}, {}, due_up_to(window)
      for i = 1, math.min(#entries, window) do
        if may_go(entries[i], seen) then found[#found + 1] = entries[i] end
      end
      -- Others may stand behind those that were passed over.
      if #found >= limit or #entries < window or window >= SWEEP then return found end
      window = window * 8
    end
  end

  return {
    page = function(from, limit)
      chosen = chosen and #chosen >= from + limit and chosen or choose(from + limit)
      local members = {}
      for i = from + 1, math.min(from + limit, #chosen) do
        members[#members + 1] = chosen[i].member
        members[#members + 1] = chosen[i].available
      end
      return members
    end,
    place = function(i)
      return chosen[i].suffix == ':delayed' and 'd' or 'r'
    end,
    where = function(i)
      return chosen[i].suffix == ':ready' and 'r' or chosen[i].suffix == ':delayed' and 'd' or 'b'
    end,
    count = function()
      return call('ZCARD', ':ready')
    end,
    remove = function(n)
      for i = 1, n do
        if chosen[i].suffix ~= ':blocked' then call('ZREM', chosen[i].suffix, chosen[i].member) end
      end
    end,
  }
end
