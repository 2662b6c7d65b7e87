-- Part: the plain case of a put, before all other parts, because making their functions costs Redis several times what the commands cost
-- (docs/BENCHMARKS.md). It ends the script if every message is plain (no id, unique key, limits of its own, time to live or delay) and the
-- queue exists, has nothing due, no maximum, no turns of keys and no subscriber. Otherwise it changes nothing, and the rest of the script
-- does the work; both leave the same data, which a test compares.
do
  local function plain_put()
    local call, key, now, format = redis.call, KEYS[1], tonumber(ARGV[1]), string.format
    local epoch, due, listed, expires, used, filtered, seq, available, idmax, bytes, put, max_messages, max_bytes, fair, fed, fed_at =
      unpack(call('HMGET', key, 'epoch', 'due', 'listed', 'expires', 'used', 'filtered', 'seq', 'available', 'idmax', 'bytes', 'put',
        'maxmsgs', 'maxbytes', 'fair', 'fed', 'fedat'))
    if not epoch or max_messages or max_bytes or fair == '1' or (due and tonumber(due) <= now) then return nil end
    seq, available = tonumber(seq or 0), tonumber(available or 0)
    if idmax and tonumber(idmax) > seq then return nil end
    local version = call('HGET', SUBSCRIPTIONS or key:match('^(.-{[^}]*})') .. ':subscriptions', '')
    if version and (version ~= fed_at or fed ~= '') then return nil end

    if available < now then available = now end
    local reply, records, ready, blocked, scores, added = { 0, 0 }, {}, {}, {}, {}, 0
    local byte, sub, unpack_struct, n, keyed, names = string.byte, string.sub, struct.unpack, 0, nil, nil
    for i = 4, #ARGV, 2 do
      local record = ARGV[i]
      local flags = byte(record)
      if flags ~= 0 then
        -- 32 and 128 are a trace context and headers, which a put only stores.
        local rest = flags % 128
        if rest ~= 0 and rest ~= 32 and rest ~= 64 and rest ~= 96 then return nil end
        if rest > 63 and key:sub(-2) == ':0' then
          keyed, names = keyed or {}, names or {}
          local name = plain_key(record, flags)
          if not keyed[name] then names[#names + 1] = name end
          keyed[name], keyed[i] = true, name
        end
      end
      if ARGV[i + 1] ~= '0' then return nil end
      n = n + 2
      added = added + #record - unpack_struct('>I4', record, 2)
    end

    local counts, limit, write_counts, line
    if keyed then
      counts, limit, write_counts = plain_counts(names)
      line = {}
    end
    for i = 4, #ARGV, 2 do
      local record, name, stands = ARGV[i], keyed and keyed[i], ready
      local priority = sub(record, 6, 6)
      local score = scores[priority]
      if not score then
        score = format('%d', (57 - byte(priority)) * 4398046511104 + available)
        scores[priority] = score
      end
      seq = seq + 1
      reply[i / 2 + 1] = seq
      local number = format('%015d', seq)
      records[i - 3], records[i - 2] = number, record
      local member = number .. priority
      if name then
        member = number .. string.char(byte(priority) + 16)
        local count = counts[name]
        line[#line + 1] = '0'
        line[#line + 1] = name .. '\0' .. format('%015d', available) .. member
        if count.exposed == 0 and limit > count.leased + count.returning then
          if count.blocked > 0 then return nil end
          count.exposed = 1
        else
          count.blocked, stands = count.blocked + 1, blocked
        end
      end
      local at = #stands
      stands[at + 1], stands[at + 2] = score, member
    end

    local is_notified = #ready > 0 and ((filtered and tonumber(filtered) > now) or call('EXISTS', key .. ':ready') == 0)
    local function write(command, suffix, values)
      for from = 1, #values, 1000 do call(command, key .. suffix, unpack(values, from, math.min(from + 999, #values))) end
    end
    write('HSET', ':messages', records)
    write('ZADD', ':ready', ready)
    if keyed then
      write('ZADD', ':blocked', blocked)
      write('ZADD', ':line', line)
      write_counts()
    end
    local changes = { 'seq', format('%d', seq), 'available', format('%d', available), 'bytes', format('%d', (bytes or 0) + added),
      'put', format('%d', (put or 0) + n / 2) }
    if expires and tonumber(expires) > 0 and tonumber(used or 0) < now then changes[9], changes[10] = 'used', format('%d', now) end
    call('HSET', key, unpack(changes))
    if is_notified then call('PUBLISH', CHANNEL, struct.pack('>I2c0', #ARGV[2], ARGV[2]) .. READY) end
    reply[1] = format('%d %d %d', listed and 0 or 1, n / 2, added)
    return reply
  end

  local reply = #ARGV > 3 and plain_put()
  if reply then return reply end
end
