-- Part: the order of the messages of a key, and how many of them are in flight. Only queues that have messages with keys run any of it.
--
-- A message with a key has a letter in the place of its priority's digit in its member. Of the ready ones of a key the first stands among
-- :ready, if it may be leased now: it is exposed. The others are blocked: they stand in :blocked, with the same scores. A lease, or the end
-- of one, exposes the next one. Where keys take turns (fair), nothing is exposed: :turn has the keys whose first message may be leased.
--
-- Suffixes: :blocked, :line (all ready ones by key, zero byte, time of the put (15 digits), member; all scores 0), :keyed (hash: a key to
-- u8 1 where it is blocked, then u32 each: exposed, leased, waiting to be tried again, blocked, delayed with the latter), :keynames (the
-- keys of live messages; all scores 0), :turn (keys; scores as in :ready, with a counter in the place of the time).
keys = function()
  if key_rules then return key_rules end

  local touched, self = {}, {}
  local limit, fair

  -- Reads the settings.
  function self.load()
    local settings = redis.call('HMGET', KEY, 'keylimit', 'fair')
    limit, fair = tonumber(settings[1] or DEFAULT_KEY_IN_FLIGHT), settings[2] == '1'
    if limit == 0 then limit = NEVER end
  end
  self.load()

  local function key_of(name)
    local key = touched[name]
    if not key then
      key = { name = name }
      local packed = call('HGET', ':keyed', name)
      if packed then
        key.was_blocked, key.exposed, key.leased, key.returning, key.blocked, key.delayed = struct.unpack('>BI4I4I4I4I4', packed)
      else
        key.is_new = true
        key.was_blocked, key.exposed, key.leased, key.returning, key.blocked, key.delayed = 0, 0, 0, 0, 0, 0
      end
      touched[name] = key
    end
    return key
  end

  -- How many more messages of the key may be leased.
  local function room(key)
    return limit - key.leased - key.returning
  end

  local function entry(name, member, place)
    return name .. '\0' .. string.format('%015.0f', math.max(0, place)) .. member
  end

  -- The member that stands in the line of a key behind so many.
  local function in_line(name, skip)
    local found = call('ZRANGEBYLEX', ':line', '[' .. name .. '\0', '(' .. name .. '\1', 'LIMIT', skip, 1)[1]
    return found and found:sub(-16)
  end

  local function block(key, member, available)
    call('ZADD', ':blocked', score_of(member, available), member)
    key.blocked = key.blocked + 1
  end

  -- Exposes the first message, if it may be leased; or puts the key where keys take turns.
  local function open(key)
    if fair then
      local head = key.blocked > 0 and room(key) > 0 and in_line(key.name, 0)
      local score = call('ZSCORE', ':turn', key.name)
      if not head then
        if score then call('ZREM', ':turn', key.name) end
        return
      end
      -- Consumers with a filter may wait for another message at the front.
      if not score or filtered_until > NOW then notify_ready(':turn') end
      local turn = score and tonumber(score) % BAND or redis.call('HINCRBY', KEY, 'turn', 1)
      call('ZADD', ':turn', score_of(head, turn), key.name)
      return
    end
    if key.exposed == 0 and key.blocked > 0 and room(key) > 0 then
      local member = in_line(key.name, 0)
      local score = call('ZSCORE', ':blocked', member)
      call('ZREM', ':blocked', member)
      notify_ready()
      call('ZADD', ':ready', score, member)
      key.blocked, key.exposed = key.blocked - 1, 1
    end
  end

  -- Whether a message that has just joined the line is its first. Takes back the exposed message then: it is the next one in the line,
  -- except in data of earlier versions, which could expose another one.
  local function passes(key, member)
    if in_line(key.name, 0) ~= member then return false end
    local skip = 1
    while key.exposed > 0 do
      local other = in_line(key.name, skip)
      local score = other and call('ZSCORE', ':ready', other)
      if score then
        call('ZREM', ':ready', other)
        block(key, other, available_of(other, score))
      end
      if score or not other then key.exposed = 0 end
      skip = skip + 1
    end
    return true
  end

  -- A message joins the line. may_pass: it may belong before others that are in it. expose: adds it to :ready.
  local function join(key, member, available, place, may_pass, expose)
    call('ZADD', ':line', 0, entry(key.name, member, place))
    local is_first = key.exposed + key.blocked == 0
    if not fair and room(key) > 0 and (is_first or (may_pass and passes(key, member))) then
      key.exposed = 1
      expose(member, available)
    else
      block(key, member, available)
      -- Another message may be the first, and may be leased now: the limit may have been lowered while several were leased.
      open(key)
    end
  end

  -- A message becomes ready that was put or rescheduled. A plain put is the last of its key: only a time of the caller's may pass others.
  function self.ready(member, name, available, expose, may_pass)
    join(key_of(name), member, available, available, may_pass, expose or add_ready)
  end

  -- A message comes back from a lease, out of which it has been taken.
  function self.back(member, name, state)
    join(key_of(name), member, state.available, state.place or state.available, true, add_ready)
  end

  -- A message is delayed. returns: it waits to be tried again, and its key with it.
  function self.delay(name, returns)
    local key = key_of(name)
    key.delayed = key.delayed + 1
    if returns then key.returning = key.returning + 1 else open(key) end
  end

  -- A delayed message, out of :delayed, is due.
  function self.due(member, name, available, state)
    local key = key_of(name)
    key.delayed = key.delayed - 1
    if state.place then key.returning = key.returning - 1 end
    join(key, member, available, state.place or available, true, add_ready)
  end

  -- A message, out of :ready or :delayed, leaves its place: r exposed, b blocked (out of which it is taken here), d delayed.
  function self.leave(member, name, available, state, where)
    local key = key_of(name)
    if where == 'd' then
      key.delayed = key.delayed - 1
      if state.place then key.returning = key.returning - 1 end
      return
    end
    call('ZREM', ':line', entry(name, member, state.place or available))
    if where == 'b' then
      call('ZREM', ':blocked', member)
      key.blocked = key.blocked - 1
    else
      key.exposed = key.exposed - 1
    end
  end

  -- A ready message leaves its place, wherever that is.
  function self.leave_ready(member, name, available, state)
    self.leave(member, name, available, state, call('ZREM', ':ready', member) == 1 and 'r' or 'b')
  end

  function self.lease(name)
    local key = key_of(name)
    key.leased = key.leased + 1
  end

  function self.end_lease(name)
    local key = key_of(name)
    key.leased = key.leased - 1
  end

  -- A message of the key is gone, or stands elsewhere now.
  function self.settle(name)
    open(key_of(name))
  end

  -- The key was served: its next turn comes behind those of all others.
  function self.serve(name)
    call('ZREM', ':turn', name)
    open(key_of(name))
  end

  self.counts = key_of

  -- Whether messages are ready and none may be leased.
  function self.is_blocked(key)
    return key.blocked > 0 and key.exposed == 0 and room(key) <= 0
  end

  function self.has_blocked(name)
    return key_of(name).blocked > 0
  end

  self.in_line = in_line

  -- How many more messages of the key may be leased.
  function self.room(name)
    return room(key_of(name))
  end

  -- Whether a delayed message may be given out before it is due.
  function self.may_go_early(name, state)
    local key = key_of(name)
    if state.place then return room(key) + 1 > 0 end
    return key.exposed + key.blocked == 0 and room(key) > 0
  end

  -- After a change of the settings: blocks all exposed messages, from where an earlier step ended, then opens each key. Returns where to
  -- go on, nil at the end.
  function self.reorder(cursor, budget)
    local phase, at, skip = cursor:match('^(%d):([^:]*):(.*)$')
    if phase == '1' then
      local score, passed = at, tonumber(skip)
      while budget > 0 do
        local rank = call('ZCOUNT', ':ready', '-inf', '(' .. score) + passed
        local page = call('ZRANGE', ':ready', rank, rank + math.min(budget, 500) - 1, 'WITHSCORES')
        if #page == 0 then break end
        for i = 1, #page, 2 do
          local member = page[i]
          if page[i + 1] ~= score then score, passed = page[i + 1], 0 end
          if is_keyed(member) then
            local message = read_record(call('HGET', ':messages', number_of(member)))
            local key = key_of(message.key)
            call('ZREM', ':ready', member)
            key.exposed = key.exposed - 1
            block(key, member, available_of(member, page[i + 1]))
          else
            passed = passed + 1
          end
        end
        budget = budget - #page / 2
      end
      if budget <= 0 then return '1:' .. score .. ':' .. passed end
      skip = ''
    end
    local last = skip
    while budget > 0 do
      local names = call('ZRANGEBYLEX', ':keynames', last == '' and '-' or '(' .. last, '+', 'LIMIT', 0, math.min(budget, 500))
      if #names == 0 then return nil end
      for _, name in ipairs(names) do
        local key = key_of(name)
        open(key)
        budget, last = budget - 1, name
      end
    end
    return '2::' .. last
  end

  -- Writes what has changed.
  function self.finish()
    local set, del, named, blocked = {}, {}, {}, 0
    local function flush(most)
      if #set > most then
        call('HSET', ':keyed', unpack(set))
        set = {}
      end
      if #named > most then
        call('ZADD', ':keynames', unpack(named))
        named = {}
      end
      if #del > most then
        call('HDEL', ':keyed', unpack(del))
        call('ZREM', ':keynames', unpack(del))
        del = {}
      end
    end
    for name, key in pairs(touched) do
      local is_blocked = self.is_blocked(key) and 1 or 0
      blocked = blocked + is_blocked - key.was_blocked
      if key.exposed + key.leased + key.blocked + key.delayed > 0 then
        set[#set + 1] = name
        set[#set + 1] = struct.pack('>BI4I4I4I4I4', is_blocked, key.exposed, key.leased, key.returning, key.blocked, key.delayed)
        if key.is_new then
          named[#named + 1] = 0
          named[#named + 1] = name
        end
      elseif not key.is_new then
        del[#del + 1] = name
      end
      flush(1000)
    end
    flush(0)
    if blocked ~= 0 then count('keysblocked', blocked) end
    touched = {}
  end

  key_rules = self
  return self
end
