-- Part: for scripts that go through a sorted set page by page. The rank of the first member that stands behind a score and a member, which
-- need not be there any more. By rank and not by score with a number to skip: Redis walks over what it skips, and a batch of messages has
-- one score.
local function rank_behind(suffix, score, member)
  local rank = call('ZRANK', suffix, member)
  if rank and tonumber(call('ZSCORE', suffix, member)) == tonumber(score) then return rank + 1 end
  local from, to = call('ZCOUNT', suffix, '-inf', '(' .. score), call('ZCOUNT', suffix, '-inf', score)
  while from < to do
    local middle = math.floor((from + to) / 2)
    if call('ZRANGE', suffix, middle, middle)[1] <= member then from = middle + 1 else to = middle end
  end
  return from
end
