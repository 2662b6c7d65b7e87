-- Part: which messages are given out next. By the queue's order; or, where due_by is given, by the caller's clock: the earliest times up to
-- that, ready or delayed, whatever their priority.
local function chooser(due_by)
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
      -- Takes the first messages out of their order.
      remove = function(n)
        call('ZREMRANGEBYRANK', ':ready', 0, n - 1)
      end,
    }
  end

  local chosen
  local function choose(limit)
    local entries = {}
    for band = 0, 9 do
      local ready = call('ZRANGEBYSCORE', ':ready', band * BAND, band * BAND + due_by, 'WITHSCORES', 'LIMIT', 0, limit)
      for i = 1, #ready, 2 do
        entries[#entries + 1] = { member = ready[i], available = available_of(ready[i], ready[i + 1]), suffix = ':ready' }
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
      return chosen[i].suffix == ':ready' and 'r' or 'd'
    end,
    remove = function(n)
      for i = 1, n do
        call('ZREM', chosen[i].suffix, chosen[i].member)
      end
    end,
  }
end
