-- Part: the plain case of an ack, before all other parts, as Part.PlainPut.lua is that of a put. It ends the script if the queue has
-- nothing due and no turns of keys, each lease is there, is current and ends by itself, and its message has no id, unique key or time to
-- live, and was not tried before if it has a key.
do
  local function plain_ack()
    local call, key, now, format = redis.call, KEYS[1], tonumber(ARGV[1]), string.format
    local epoch, due, listed, expires, used, filtered, fair, bytes, delivered, acked = unpack(
      call('HMGET', key, 'epoch', 'due', 'listed', 'expires', 'used', 'filtered', 'fair', 'bytes', 'delivered', 'acked'))
    if not epoch or (due and tonumber(due) <= now) then return nil end
    local numbers, seen, n = {}, {}, 0
    for i = 3, #ARGV, 2 do
      local id = ARGV[i]
      if #id > 15 or seen[id] or not id:find('^[1-9]%d*$') then return nil end
      seen[id] = true
      n = n + 1
      numbers[n] = ('0'):rep(15 - #id) .. id
    end

    local members, reply, removed, names, keyed = {}, { 0 }, 0, nil, nil
    local notifications, pack, unpack_struct = { struct.pack('>I2c0', #ARGV[2], ARGV[2]) }, struct.pack, struct.unpack
    for from = 1, n, 16 do
      local to = math.min(from + 15, n)
      local records = call('HMGET', key .. ':messages', unpack(numbers, from, to))
      local states = call('HMGET', key .. ':states', unpack(numbers, from, to))
      for i = from, to do
        local record, state = records[i - from + 1], states[i - from + 1]
        if not record or not state then return nil end
        local flags, length, priority = unpack_struct('>BI4c1', record)
        -- 1: id, 2: unique key, 16 time to live, 64 key.
        if flags % 4 > 0 or flags % 32 > 15 then return nil end
        local bits, attempts, _, _, lease_end, node, receipt = unpack_struct('>BI4I4dddc8', state)
        -- 1: a delivery, 64: by the caller's clock.
        if bits % 2 > 0 or bits % 128 > 63 or lease_end == 0 or node ~= 0 or receipt ~= ARGV[2 * i + 2] then return nil end
        local worker = bits % 4 > 1 and unpack_struct('>I2c0', state, 42) or ''
        members[i] = numbers[i] .. priority
        if flags % 128 > 63 and key:sub(-2) == ':0' then
          if fair == '1' or bits > 127 then return nil end
          names, keyed = names or {}, keyed or {}
          local name = plain_key(record, flags)
          if not keyed[name] then names[#names + 1] = name end
          members[i] = numbers[i] .. string.char(priority:byte() + 16)
          keyed[name], keyed[i] = true, name
        end
        removed = removed + #record - length
        reply[i + 1] = 0
        local id, text = ARGV[2 * i + 1], format('%d', attempts)
        -- Texts: the id, 1 (acked), the worker, the attempts, no reason, the receipt.
        notifications[i + 1] =
          pack('>BI2c0I2c1I2c0I2c0I2I2c8', FINISHED, #id, id, 1, '1', #worker, worker, #text, text, 0, 8, receipt)
      end
    end

    if names then
      -- The lease of a key that ends exposes the next message of the key.
      local counts, limit, write_counts = plain_counts(names)
      local opened, ready, checked = {}, {}, false
      for i = 1, n do
        local count = keyed[i] and counts[keyed[i]]
        if count then
          count.leased = count.leased - 1
          if count.exposed == 0 and count.blocked > 0 and limit > count.leased + count.returning then
            local name = keyed[i]
            local member = call('ZRANGEBYLEX', key .. ':line', '[' .. name .. '\0', '(' .. name .. '\1', 'LIMIT', 0, 1)[1]:sub(-16)
            opened[#opened + 1] = member
            ready[#ready + 1] = call('ZSCORE', key .. ':blocked', member)
            ready[#ready + 1] = member
            count.blocked, count.exposed = count.blocked - 1, 1
            if not checked then
              checked = true
              if (filtered and tonumber(filtered) > now) or call('EXISTS', key .. ':ready') == 0 then
                notifications[i + 1] = READY .. notifications[i + 1]
              end
            end
          end
        end
      end
      for from = 1, #opened, 1000 do call('ZREM', key .. ':blocked', unpack(opened, from, math.min(from + 999, #opened))) end
      for from = 1, #ready, 1000 do call('ZADD', key .. ':ready', unpack(ready, from, math.min(from + 999, #ready))) end
      write_counts()
    end
    for from = 1, n, 1000 do
      local to = math.min(from + 999, n)
      call('ZREM', key .. ':leased', unpack(members, from, to))
      call('HDEL', key .. ':messages', unpack(numbers, from, to))
      call('HDEL', key .. ':states', unpack(numbers, from, to))
    end
    local changes = { 'bytes', format('%d', (bytes or 0) - removed), 'delivered', format('%d', (delivered or 0) + n),
      'acked', format('%d', (acked or 0) + n) }
    if expires and tonumber(expires) > 0 and tonumber(used or 0) < now then changes[7], changes[8] = 'used', format('%d', now) end
    call('HSET', key, unpack(changes))
    call('PUBLISH', CHANNEL, table.concat(notifications))
    reply[1] = format('%d %d %d', listed and 0 or 1, -n, -removed)
    return reply
  end

  local reply = #ARGV > 2 and plain_ack()
  if reply then return reply end
end
