-- Part: the plain case of a take, before all other parts, as Part.PlainPut.lua is that of a put. It ends the script if the queue runs and
-- has nothing due and no turns of keys, and if the next messages have no id, unique key, key or time to live.
do
  local function plain_take()
    local call, key, now, format = redis.call, KEYS[1], tonumber(ARGV[1]), string.format
    local epoch, due, listed, expires, used, stopped, bytes, delivered, fair = unpack(
      call('HMGET', key, 'epoch', 'due', 'listed', 'expires', 'used', 'stopped', 'bytes', 'delivered', 'fair'))
    if not epoch or stopped == '1' or fair == '1' or (due and tonumber(due) <= now) then return nil end
    local wanted, bytes_max, first_goes, at_once, each_at_once =
      tonumber(ARGV[3]), tonumber(ARGV[6]), ARGV[7] == '1', tonumber(ARGV[8]), tonumber(ARGV[9])

    local members = call('ZRANGE', key .. ':ready', 0, wanted - 1, 'WITHSCORES')
    local numbers, removed, n = {}, 0, #members / 2
    for i = 1, n do numbers[i] = members[2 * i - 1]:sub(1, 15) end
    -- Bodies are read in small groups, so that few are read in vain where the bytes end the take.
    local reply, taken = { 0, 0 }, 0
    for from = 1, n, 16 do
      local to = math.min(from + 15, n)
      local records = call('HMGET', key .. ':messages', unpack(numbers, from, to))
      for i = 1, to - from + 1 do
        local record = records[i]
        local flags = record:byte()
        -- 1: id, 2: unique key, 16 time to live, 64 key.
        if flags % 4 > 0 or flags % 32 > 15 or flags % 128 > 63 then return nil end
        local sum = removed + #record - struct.unpack('>I4', record, 2)
        local ends = sum > bytes_max and (taken > 0 or not first_goes)
        if not ends and (sum > at_once or (sum - removed > each_at_once and taken == 0)) then return nil end
        if ends or sum - removed > each_at_once then
          n = taken
          break
        end
        removed, taken = sum, taken + 1
        reply[2 * taken + 1] = record
      end
      if taken == n then break end
    end

    local control = listed and 0 or 1
    local changes = {}
    if expires and tonumber(expires) > 0 and tonumber(used or 0) < now then changes[1], changes[2] = 'used', format('%d', now) end
    if n > 0 then
      call('ZREMRANGEBYRANK', key .. ':ready', 0, n - 1)
      local notifications, pack = { struct.pack('>I2c0', #ARGV[2], ARGV[2]) }, struct.pack
      for from = 1, n, 1000 do
        local to = math.min(from + 999, n)
        local states, with_state = call('HMGET', key .. ':states', unpack(numbers, from, to)), {}
        for i = from, to do
          local state, attempts = states[i - from + 1], 1
          local member, number = members[2 * i - 1], numbers[i]
          if state then
            attempts = struct.unpack('>I4', state, 2) + 1
            with_state[#with_state + 1] = number
          end
          local score, digit = tonumber(members[2 * i]), member:byte(16)
          reply[2 * i + 2] = pack('>c16c1I4dd', member, 'r', attempts, 0, score - (57 - digit) * 4398046511104) .. (state or '')
          local id, text = number:match('^0*(.*)$'), format('%d', attempts)
          -- Texts: the id, 1 (acked), no worker, the attempts, no reason, no receipt.
          notifications[i + 1] = pack('>BI2c0I2c1I2I2c0I2I2', FINISHED, #id, id, 1, '1', 0, #text, text, 0, 0)
        end
        call('HDEL', key .. ':messages', unpack(numbers, from, to))
        if #with_state > 0 then call('HDEL', key .. ':states', unpack(with_state)) end
      end
      local at = #changes
      changes[at + 1], changes[at + 2] = 'bytes', format('%d', (bytes or 0) - removed)
      changes[at + 3], changes[at + 4] = 'delivered', format('%d', (delivered or 0) + n)
      control = format('%d %d %d', control, -n, -removed)
      call('HSET', key, unpack(changes))
      call('PUBLISH', CHANNEL, table.concat(notifications))
    elseif #changes > 0 then
      call('HSET', key, unpack(changes))
    end
    reply[1] = control
    return reply
  end

  -- From a stopped queue, by the caller's clock, with a filter: not plain.
  local reply = ARGV[4] ~= '1' and ARGV[5] == '' and ARGV[10] == '' and plain_take()
  if reply then return reply end
end
