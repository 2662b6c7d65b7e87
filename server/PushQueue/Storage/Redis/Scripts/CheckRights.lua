#!lua flags=allow-oom
-- uses:
-- Lists what the user of this connection may not do although PushQueue needs it. Run by EVAL, before any other script.
-- KEYS: none.
-- ARGV: how many sample keys there are, then these; then commands with their arguments, separated by spaces.
-- Returns: per refusal the number of its sample key (0: none) and the command.
local ON_KEYS = {
  'DEL', 'EXISTS', 'HDEL f', 'HEXISTS f', 'HGET f', 'HGETALL', 'HINCRBY f 1', 'HKEYS', 'HLEN', 'HMGET f', 'HSCAN 0', 'HSET f v',
  'LINDEX 0', 'LPOP', 'PEXPIRE 1', 'RPUSH v', 'SADD m', 'SET v', 'SISMEMBER m', 'SMEMBERS', 'SREM m', 'UNLINK', 'ZADD 0 m', 'ZCARD',
  'ZCOUNT 0 1', 'ZRANGE 0 1', 'ZRANGEBYLEX - +',
  'ZRANGEBYSCORE 0 1', 'ZRANK m', 'ZREM m', 'ZREMRANGEBYRANK 0 1', 'ZREMRANGEBYSCORE 0 1', 'ZREVRANGE 0 1', 'ZSCORE m',
}

local function words(line)
  local list = {}
  for word in line:gmatch('%S+') do list[#list + 1] = word end
  return list
end

local refused = {}
local function check(sample, command, ...)
  if not redis.acl_check_cmd(command, ...) then
    refused[#refused + 1] = sample
    refused[#refused + 1] = command
  end
end

local samples = tonumber(ARGV[1])
for sample = 1, samples do
  for _, line in ipairs(ON_KEYS) do
    local list = words(line)
    check(sample, list[1], ARGV[1 + sample], unpack(list, 2))
  end
end
for i = 2 + samples, #ARGV do check(0, unpack(words(ARGV[i]))) end
return refused
