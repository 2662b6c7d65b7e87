-- Part: the plain case of a lease, before all other parts, as Part.PlainPut.lua is that of a put. It ends the script if the leases have an
-- end of their own, the queue runs and has nothing due and no turns of keys, and the next messages were never leased.
-- A message with a key has no id, unique key or time to live, and at most one message of its key may be leased.
do
  local function plain_lease()
    local call, key, now, format = redis.call, KEYS[1], tonumber(ARGV[1]), string.format
    local epoch, due, listed, expires, used, stopped, fair = unpack(
      call('HMGET', key, 'epoch', 'due', 'listed', 'expires', 'used', 'stopped', 'fair'))
    if not epoch or stopped == '1' or fair == '1' or (due and tonumber(due) <= now) then return nil end
    local wanted, bytes_max = tonumber(ARGV[3]), tonumber(ARGV[4])

    local members = call('ZRANGE', key .. ':ready', 0, wanted - 1, 'WITHSCORES')
    local numbers, n, bytes = {}, #members / 2, 0
    for i = 1, n do
      numbers[i] = members[2 * i - 1]:sub(1, 15)
    end
    -- In small groups, so that few bodies are read in vain where the bytes end the lease.
    local reply, leased, names, keyed = { 0, 0 }, 0, nil, nil
    for from = 1, n, 16 do
      local to = math.min(from + 15, n)
      local records = call('HMGET', key .. ':messages', unpack(numbers, from, to))
      for i = 1, to - from + 1 do
        local record = records[i]
        bytes = bytes + #record - struct.unpack('>I4', record, 2)
        if leased > 0 and bytes > bytes_max then
          n = leased
          break
        end
        leased = leased + 1
        reply[2 * leased + 1] = record
        if members[2 * leased - 1]:byte(16) > 57 then
          local flags = record:byte()
          if flags % 4 > 0 or flags % 32 > 15 then return nil end
          local name = plain_key(record, flags)
          names, keyed = names or {}, keyed or {}
          if keyed[name] then return nil end
          keyed[name], keyed[leased], names[#names + 1] = true, name, name
        end
      end
      if leased == n then break end
    end

    local delivery, worker, receipts, pack = ARGV[8] == '1', ARGV[7], ARGV[9], struct.pack
    local bits = (delivery and 1 or 0) + (ARGV[8] == '2' and 32 or 0)
    local lease_end, attempts, tail = tonumber(ARGV[5]), delivery and 0 or 1, ''
    if worker ~= '' then bits, tail = bits + 2, pack('>I2c0', #worker, worker) end
    local changes, states, leases = {}, {}, {}
    for from = 1, n, 1000 do
      local given = call('HMGET', key .. ':states', unpack(numbers, from, math.min(from + 999, n)))
      for i = 1, #given do
        if given[i] then return nil end
      end
    end
    local counts, limit, write_counts, line
    if names then
      counts, limit, write_counts = plain_counts(names)
      line = {}
      for i = 1, #names do
        local count = counts[names[i]]
        -- Another message of the key may be leased, too: not plain.
        if count.exposed ~= 1 or (count.blocked > 0 and limit - count.leased - count.returning > 1) then return nil end
        count.exposed, count.leased = 0, count.leased + 1
      end
    end
    for i = 1, n do
      local member, receipt = members[2 * i - 1], receipts:sub(i * 8 - 7, i * 8)
      local digit, name = member:byte(16), keyed and keyed[i]
      local available = tonumber(members[2 * i]) - (57 - (name and digit - 16 or digit)) * 4398046511104
      if name then line[#line + 1] = name .. '\0' .. format('%015d', available) .. member end
      local state = pack('>BI4I4dddc8', bits, attempts, 0, available, lease_end, 0, receipt) .. tail
      states[2 * i - 1], states[2 * i] = numbers[i], state
      leases[2 * i - 1], leases[2 * i] = ARGV[5], member
      reply[2 * i + 2] = pack('>c16c1I4dd', member, 'l', 1, 0, available) .. state
    end
    for from = 1, 2 * n, 1000 do
      local to = math.min(from + 999, 2 * n)
      call('HSET', key .. ':states', unpack(states, from, to))
      call('ZADD', key .. ':leased', unpack(leases, from, to))
    end
    if n > 0 then call('ZREMRANGEBYRANK', key .. ':ready', 0, n - 1) end
    if line then
      for from = 1, #line, 1000 do call('ZREM', key .. ':line', unpack(line, from, math.min(from + 999, #line))) end
      write_counts()
    end

    local control = listed and 0 or 1
    if expires and tonumber(expires) > 0 and tonumber(used or 0) < now then changes[1], changes[2] = 'used', format('%d', now) end
    if n > 0 and (not due or lease_end < tonumber(due)) then
      changes[#changes + 1] = 'due'
      changes[#changes + 1] = ARGV[5]
      control = control + 8 * lease_end
    end
    if #changes > 0 then call('HSET', key, unpack(changes)) end
    reply[1] = control
    return reply
  end

  -- Bound to a node, by the caller's clock, by turns of nodes, from a stopped queue, with a filter: not plain.
  local is_plain = ARGV[5] ~= '0' and ARGV[6] == '0' and ARGV[10] == '' and ARGV[11] == '' and ARGV[12] == '0' and ARGV[14] ~= '1'
    and ARGV[15] == ''
  local reply = is_plain and plain_lease()
  if reply then return reply end
end
