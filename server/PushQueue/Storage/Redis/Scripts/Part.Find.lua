-- Part: for scripts that name a message by its id.
-- Where a live message is: 'l', 'r' or 'd', since or until when it is available, and the member that stands there.
local function place_of(number, message, state)
  local member = member_of(number, message)
  if state.receipt ~= NO_RECEIPT then
    return 'l', state.available, member
  end
  local ready = call('ZSCORE', ':ready', member)
  if not ready and is_keyed(member) then ready = call('ZSCORE', ':blocked', member) end
  if ready then
    return 'r', available_of(member, ready), member
  end
  return 'd', tonumber(call('ZSCORE', ':delayed', member)), member
end

-- Takes a live message out of the order it stands in.
local function leave_place(place, member, state, message, available)
  if place == 'l' then
    leave_leases(member, state, message)
  elseif place == 'r' then
    if is_keyed(member) then
      keys().leave_ready(member, message.key, available, state)
    else
      call('ZREM', ':ready', member)
    end
  else
    call('ZREM', ':delayed', member)
    if is_keyed(member) then keys().leave(member, message.key, available, state, 'd') end
  end
end
