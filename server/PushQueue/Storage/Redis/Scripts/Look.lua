#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance, Choose
-- Returns the next ready message without removing it, and counts the look.
-- KEYS: the queue's hash.
-- ARGV: time, the caller.
-- Returns: control (-1: no such queue); its record and its status (Part.Codec.lua), or nothing more.
if not open({ 'fair' }) then return { -1 } end

local first = chooser(nil, true).page(0, 1)
if not first[1] then return answer({ 0 }) end
local number = number_of(first[1])
local state = read_state(call('HGET', ':states', number))
state.looks = state.looks + 1
local packed = pack_state(state)
call('HSET', ':states', number, packed)
return answer({ 0, call('HGET', ':messages', number), status(first[1], 'r', state.attempts, 0, first[2], packed) })
