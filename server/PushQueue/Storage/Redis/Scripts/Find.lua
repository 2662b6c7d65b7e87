#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance, Find
-- Returns a live message.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, id.
-- Returns: control (-1: no such queue); its record and its status (Part.Codec.lua), or nothing more.
if not open({}) then return { -1 } end

local number, record = locate(ARGV[3])
if not record then return answer({ 0 }) end
local packed = call('HGET', ':states', number)
local state = read_state(packed)
local place, available, member = place_of(number, read_record(record), state)
return answer({ 0, record, status(member, place, state.attempts, 0, available, packed) })
