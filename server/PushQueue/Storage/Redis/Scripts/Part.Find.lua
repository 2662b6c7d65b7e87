-- Part: for scripts that name a message by its id.
-- Where a live message is: 'l', 'r' or 'd', since or until when it is available, and the member that stands there.
local function place_of(number, message, state)
  local member = member_of(number, message)
  if state.receipt ~= NO_RECEIPT then
    return 'l', state.available, member
  end
  local ready = call('ZSCORE', ':ready', member)
  if ready then
    return 'r', available_of(member, ready), member
  end
  return 'd', tonumber(call('ZSCORE', ':delayed', member)), member
end

-- Takes a live message out of the order it stands in.
local function leave_place(place, member, state)
  if place == 'l' then
    leave_leases(member, state)
  elseif place == 'r' then
    call('ZREM', ':ready', member)
  else
    call('ZREM', ':delayed', member)
  end
end
