-- Part: what happens by itself, and how leases end. Few calls need any of it, and functions cost time to make: so they are made where they
-- are used, by rules().
local SWEEP = 5000

local function rules()
  local function setting(name)
    return redis.call('HGET', KEY, name)
  end

  -- The wait after an attempt, in ticks of 100 ns.
  local function retry_delay(message, attempt, request)
    local first, last = message.retry1, message.retry2
    if not first then
      first, last = tonumber(setting('retry1') or 0), tonumber(setting('retry2') or 0)
      if first == 0 and request.backoff1 then first, last = request.backoff1, request.backoff2 end
    end
    if first == last or first == 0 then
      return first
    end
    return math.min(last, first * 2 ^ math.max(0, math.min(62, attempt - 1)))
  end

  -- Moves a message, already out of its order, into another queue of the same hash tag. Its id stays, unless one of that id lives there. A
  -- message whose key counts there is not ready yet. Returns its member, and since when it is available.
  local function move_to(target, number, record, message, state, dead)
    local id = id_of(number, message)
    local live = false
    if redis.call('HEXISTS', target .. ':ids', id) == 1 then
      live = true
    elseif not message.id then
      local same = redis.call('HGET', target .. ':messages', number)
      live = same and not has(same:byte(1), 1)
    elseif #id <= 15 and id:find('^[1-9]%d*$') then
      local same = redis.call('HGET', target .. ':messages', ('0'):rep(15 - #id) .. id)
      live = same and not has(same:byte(1), 1)
    end
    local there = redis.call('HMGET', target, 'seq', 'available', 'idmax', 'expires')
    local seq = tonumber(there[1] or 0) + 1
    if live then
      id = nil
      while redis.call('HEXISTS', target .. ':ids', tostring(seq)) == 1 do seq = seq + 1 end
    end
    local available = math.max(tonumber(there[2] or 0), NOW)
    local arrived = string.format('%015d', seq)
    local counts_key = message.key and target:sub(-2) == ':0'
    local member = arrived .. (counts_key and string.char(message.priority:byte() + 16) or message.priority)
    redis.call('HSET', target, 'seq', seq, 'available', available)
    if there[4] then redis.call('HSET', target, 'used', string.format('%.0f', NOW)) end
    redis.call('HSET', target .. ':messages', arrived, moved_record(record, message, id))
    if id then
      redis.call('HSET', target .. ':ids', id, arrived)
      if #id <= 15 and id:find('^[1-9]%d*$') and tonumber(id) > tonumber(there[3] or 0) then
        redis.call('HSET', target, 'idmax', id)
      end
    end
    local kept = read_state(false)
    kept.last_worker, kept.last_error, kept.dead = state.last_worker, state.last_error, dead
    redis.call('HSET', target .. ':states', arrived, pack_state(kept))
    if not counts_key then redis.call('ZADD', target .. ':ready', score_of(member, available), member) end
    redis.call('HINCRBY', target, 'bytes', message.bytes)
    redis.call('HINCRBY', target, 'put', 1)
    hold(1, message.bytes)
    return member, available
  end

  local function dead_letter_key()
    local base, depth = KEY:match('^(.*:)(%d+)$')
    return base .. (tonumber(depth) + 1), NAME .. '.dead'
  end

  -- No attempts left, or another one is pointless: to the dead-letter queue, or dropped where the queue has none.
  local function dead_letter(number, record, message, state, reason)
    count('deadlettered', 1)
    notify_finished(id_of(number, message), false, state.last_worker, state.attempts, reason)
    if setting('nodead') ~= '1' then
      local key, name = dead_letter_key()
      local there = redis.call('HMGET', key, 'epoch', 'listed')
      if not there[1] then make(key, name) end
      if not there[2] then flags = flags + (flags % 4 >= 2 and 0 or 2) end
      move_to(key, number, record, message, state, { source = NAME, reason = reason, attempts = state.attempts, at = NOW })
      notify('DeadLetterReady')
    end
    forget(number, message)
  end

  -- Back among the ready or the delayed ones. returns: from a lease, in which case it keeps its place in its key.
  local function return_message(number, message, state, delayed, returns)
    local member = member_of(number, message)
    local available = state.available
    if message.ttl then
      call('ZADD', ':expiring', available + message.ttl, member)
      note_due(available + message.ttl)
    end
    state.lease_end, state.node, state.receipt, state.delivery, state.streaming, state.worker, state.callers_end =
      0, 0, NO_RECEIPT, nil, nil, nil, nil
    call('HSET', ':states', number, pack_state(state))
    local has_key = is_keyed(member)
    if delayed then
      call('ZADD', ':delayed', available, member)
      note_due(available)
      if has_key then keys().delay(message.key, state.place ~= nil) end
    elseif not has_key then
      add_ready(member, available)
    elseif returns then
      keys().back(member, message.key, state)
    else
      keys().ready(member, message.key, available, nil, true)
      keys().settle(message.key)
    end
  end

  -- A lease ends without an ack. request: delay (ticks; nil for the retry delay), error, counts, dead (to the dead-letter queue now),
  -- worker, at (available from exactly that time).
  local function end_lease(number, record, message, state, request)
    local id, receipt, worker = id_of(number, message), state.receipt, state.worker
    leave_leases(member_of(number, message), state, message)
    if not state.delivery then notify('LeaseEnded', id, receipt) end
    if request.counts and not state.delivery then
      worker = worker or request.worker
      count('failed', 1)
      state.last_error, state.last_worker = request.error, worker
      if worker then notify('WorkerFailed', worker) end
      local attempts = message.attempts or tonumber(setting('attempts') or DEFAULT_ATTEMPTS)
      if (state.attempts >= attempts or request.dead) and KEY:sub(-2) == ':0' then
        return dead_letter(number, record, message, state, request.dead and 'rejected' or 'max-attempts')
      end
    elseif not state.delivery then
      state.attempts = state.attempts - 1
    end
    local delay, delayed, place = 0, false, nil
    if message.key and HAS_KEYS then place = state.place or state.available end
    if not state.delivery then
      delay = request.delay or (request.counts and retry_delay(message, state.attempts, request) or 0)
    end
    if request.at and not state.delivery then
      state.available, delayed, state.place = request.at, request.at > NOW, place
    elseif delay > 0 then
      state.available, delayed, state.place = NOW + math.floor(delay / 10000), true, place
    else
      -- A caller whose clock is ahead had it before its time.
      delayed = state.callers_end ~= nil and state.available > NOW
    end
    -- A delay starts the time to live again, so it comes before the question whether that has ended.
    if message.ttl and state.available + message.ttl <= NOW then
      count('expired', 1)
      forget(number, message)
      return notify_finished(id, false, state.worker, state.attempts, 'expired')
    end
    return_message(number, message, state, delayed, true)
  end

  -- The setting history.perKey has changed: :latest follows it, a part at a time. cursor (field latestat): the offset up to which history
  -- has been read; or drop, where what is kept goes, and drop+ where it goes and the setting is on again. New broadcasts enter :latest
  -- meanwhile (Broadcast.lua), so an older message of the key changes nothing.
  local function follow_per_key(cursor)
    local BYTES = 16 * 1024 * 1024
    local offsets = redis.call('HMGET', KEY, 'first', 'next')
    local first, next_offset = tonumber(offsets[1] or 1), tonumber(offsets[2] or 1)
    local rest
    if cursor:sub(1, 4) == 'drop' then
      local kept = call('ZRANGEBYSCORE', ':latest', '-inf', '(' .. string.format('%.0f', first), 'WITHSCORES', 'LIMIT', 0, SWEEP)
      for i = 1, #kept, 2 do
        call('HDEL', ':history', string.format('%.0f', kept[i + 1]))
        call('ZREM', ':latest', kept[i])
      end
      if #kept == SWEEP * 2 then
        rest = cursor
      elseif cursor == 'drop+' then
        rest = string.format('%.0f', first)
      else
        call('UNLINK', ':latest')
      end
    else
      local offset, bytes = math.max(first, tonumber(cursor)), 0
      local stop = math.min(next_offset, offset + SWEEP)
      while offset < stop and bytes < BYTES do
        local message = call('HGET', ':history', string.format('%.0f', offset))
        local record = message and read_record(message:sub(struct.unpack('>I2', message) + 3))
        if record and record.key then
          local before = tonumber(call('ZSCORE', ':latest', record.key) or 0)
          if before < offset then
            if before > 0 and before < first then call('HDEL', ':history', string.format('%.0f', before)) end
            if record.bytes > 0 then
              call('ZADD', ':latest', offset, record.key)
            elseif before > 0 then
              call('ZREM', ':latest', record.key)
            end
          end
        end
        bytes = bytes + (message and #message or 0)
        offset = offset + 1
      end
      if offset < next_offset then rest = string.format('%.0f', offset) end
    end
    if rest then
      redis.call('HSET', KEY, 'latestat', rest)
      note_due(NOW)
    else
      redis.call('HDEL', KEY, 'latestat')
    end
  end

  -- History: offsets from first (inclusive) to next (exclusive); each round is "time:last offset". Trimmed from its beginning only, and not
  -- before :latest has what it must keep.
  local function trim_history(first, next_offset)
    local limits = redis.call('HMGET', KEY, 'histmax', 'histage', 'perkey', 'latestat')
    if limits[4] then return first end
    local keep, age = tonumber(limits[1] or DEFAULT_HISTORY), tonumber(limits[2] or DEFAULT_HISTORY_AGE) / 10000
    local start = math.max(first, next_offset - keep)
    while true do
      local round = call('LINDEX', ':rounds', 0)
      if not round then break end
      local at, last = round:match('^(%d+):(%d+)$')
      at, last = tonumber(at), tonumber(last)
      if at + age <= NOW then
        start = math.max(start, last + 1)
      elseif last >= start then
        note_due(math.ceil(at + age))
        break
      end
      call('LPOP', ':rounds')
    end
    local gone, kept = {}, {}
    if start > first and limits[3] == '1' then
      -- The newest message of each key stays. Those before first have stayed already.
      local latest = call(
        'ZRANGEBYSCORE', ':latest', string.format('%.0f', first), '(' .. string.format('%.0f', start), 'WITHSCORES')
      for i = 2, #latest, 2 do kept[tonumber(latest[i])] = true end
    end
    local function drop_gone()
      if #gone > 0 then call('HDEL', ':history', unpack(gone)) end
      gone = {}
    end
    if start - first <= SWEEP then
      for offset = first, start - 1 do
        if not kept[offset] then gone[#gone + 1] = string.format('%.0f', offset) end
        if #gone == 1000 then drop_gone() end
      end
    else
      -- Many offsets, or a hole where Redis has lost what it had given out: what is there is named, not what might be.
      for _, offset in ipairs(call('HKEYS', ':history')) do
        local at = tonumber(offset)
        if at >= first and at < start and not kept[at] then gone[#gone + 1] = offset end
        if #gone == 1000 then drop_gone() end
      end
    end
    drop_gone()
    if start ~= first then redis.call('HSET', KEY, 'first', start) end
    return start
  end

  local function next_score(suffix)
    local entry = call('ZRANGE', suffix, 0, 0, 'WITHSCORES')
    local score = tonumber(entry[2])
    return score and score < NODES and score or NEVER
  end

  -- The settings of keys have changed: goes on with putting everything in its place, a part at a time.
  local function reorder(cursor)
    local rest = keys().reorder(cursor, SWEEP)
    if rest then
      redis.call('HSET', KEY, 'reorder', rest)
      note_due(NOW)
    else
      redis.call('HDEL', KEY, 'reorder')
    end
  end

  -- Brings the queue to the present: delayed messages become ready, ended leases return their messages, expired messages are removed.
  local function advance()
    local delayed = call('ZRANGEBYSCORE', ':delayed', '-inf', NOW, 'WITHSCORES', 'LIMIT', 0, SWEEP)
    for i = 1, #delayed, 2 do
      local member, available = delayed[i], tonumber(delayed[i + 1])
      call('ZREM', ':delayed', member)
      if is_keyed(member) then
        local number = number_of(member)
        local message, state = read_record(call('HGET', ':messages', number)), read_state(call('HGET', ':states', number))
        keys().due(member, message.key, available, state)
      else
        add_ready(member, available)
      end
    end
    if #delayed > 0 and (setting('fed') or '') ~= '' and setting('policy') ~= '2' and setting('stopped') ~= '1' then notify('Feeding') end
    local ran_out = { error = 'the lease ended without an ack', counts = true }
    local ended = call('ZRANGEBYSCORE', ':leased', '-inf', NOW, 'LIMIT', 0, SWEEP)
    for _, member in ipairs(ended) do
      local number = number_of(member)
      local record = call('HGET', ':messages', number)
      end_lease(number, record, read_record(record), read_state(call('HGET', ':states', number)), ran_out)
    end
    for _, member in ipairs(call('ZRANGEBYSCORE', ':expiring', '-inf', NOW, 'LIMIT', 0, SWEEP)) do
      local number = number_of(member)
      call('ZREM', ':expiring', member)
      -- A leased message expires when it comes back.
      local blocked = is_keyed(member) and call('ZSCORE', ':blocked', member)
      local ready = blocked or is_keyed(member) and call('ZSCORE', ':ready', member)
      if call('ZREM', ':ready', member) + call('ZREM', ':delayed', member) > 0 or blocked then
        local message = read_record(call('HGET', ':messages', number))
        local state = read_state(call('HGET', ':states', number))
        if is_keyed(member) then
          local available = ready and available_of(member, ready)
          keys().leave(member, message.key, available, state, blocked and 'b' or ready and 'r' or 'd')
        end
        count('expired', 1)
        forget(number, message)
        notify_finished(id_of(number, message), false, state.last_worker, state.attempts, 'expired')
      end
    end
    call('ZREMRANGEBYSCORE', ':known', '-inf', NOW)
    -- A queue whose messages wait for a time, or for a worker, is in use. Written at once, because open() loads the fields again.
    if loaded.expires > 0 and loaded.used < NOW
      and (#delayed > 0 or #ended > 0 or call('ZCARD', ':delayed') > 0 or call('ZCARD', ':leased') > 0) then
      loaded.used = NOW
      redis.call('HSET', KEY, 'used', string.format('%.0f', NOW))
    end
    due_after = math.min(
      next_score(':delayed'), next_score(':leased'), next_score(':expiring'), next_score(':known'), unused_at())
    local cursor = HAS_KEYS and redis.call('HGET', KEY, 'reorder')
    if cursor then reorder(cursor) end
    local latest_at = redis.call('HGET', KEY, 'latestat')
    if latest_at then follow_per_key(latest_at) end
    local offsets = redis.call('HMGET', KEY, 'first', 'next', 'early')
    -- Always due: until what sources held is copied, nothing is given out.
    if offsets[3] then note_due(1) end
    if offsets[2] then trim_history(tonumber(offsets[1] or 1), tonumber(offsets[2])) end
    due_is_stale = true
  end

  return {
    advance = advance, end_lease = end_lease, move_to = move_to, return_message = return_message, trim_history = trim_history,
    reorder = reorder, follow_per_key = follow_per_key,
  }
end

-- Loads fields of the queue as it is now; nil if it does not exist. Every script on a queue begins with it.
local function open(fields)
  local queue = load(fields)
  if queue and due_before <= NOW then
    rules().advance()
    local due = due_after
    queue = load(fields)
    due_before, due_after = due, due
  end
  return queue
end
