#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance, Ranks
-- Gives back, as if they had never been leased, messages whose leases a node never got to know of. Looks at one page of what the node
-- holds.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, number of the node, receipts (8 bytes each), :leased or :bound, member behind which the page begins (may be
-- empty), how many to look at.
-- Returns: control (-1: no such queue); how many came back; the last member that was looked at where there are more, else empty.
if not open({}) then return { -1, 0, '' } end

local lost = {}
for at = 1, #ARGV[4], 8 do lost[ARGV[4]:sub(at, at + 7)] = true end
local node, suffix, most = ARGV[3], ARGV[5], tonumber(ARGV[7])
local from = ARGV[6] == '' and call('ZCOUNT', suffix, '-inf', '(' .. node) or rank_behind(suffix, node, ARGV[6])
local members = call('ZRANGE', suffix, from, from + most - 1, 'WITHSCORES')
local end_lease, back, last = rules().end_lease, 0, ''
for i = 1, #members, 2 do
  if tonumber(members[i + 1]) ~= tonumber(node) then
    last = ''
    break
  end
  last = #members == most * 2 and members[i] or ''
  local number = number_of(members[i])
  local state = read_state(call('HGET', ':states', number))
  if lost[state.receipt] then
    local record = call('HGET', ':messages', number)
    end_lease(number, record, read_record(record), state, { delay = 0, counts = false })
    back = back + 1
  end
end
return answer({ 0, back, last })
