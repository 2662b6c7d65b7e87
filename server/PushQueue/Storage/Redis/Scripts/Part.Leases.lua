-- Part: for scripts that name leases by id and receipt.
-- A receipt of zeros stands for the current lease, whichever consumer holds it, but not for one that lasts only while a message is written.
-- Calls action(number, record, message, state) for each that is current. Answers per lease 0: done, 1: lost, 2: no such message.
local function for_each_lease(from, action)
  local reply = { 0 }
  for i = from, #ARGV, 2 do
    local number, record = locate(ARGV[i])
    local code = 2
    if record then
      local packed = call('HGET', ':states', number)
      code = 1
      local state = packed and read_state(packed)
      if state and state.receipt ~= NO_RECEIPT then
        if state.receipt == ARGV[i + 1] or (ARGV[i + 1] == NO_RECEIPT and not state.delivery) then
          code = 0
          action(number, record, read_record(record), state)
        end
      end
    end
    reply[#reply + 1] = code
  end
  return reply
end
