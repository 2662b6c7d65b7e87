#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance
-- Brings the queue to the present: delayed, expired and leased messages that are due.
-- KEYS: the queue's hash.
-- ARGV: time, the caller.
-- Returns: control (-1: no such queue); when the next is due (0: never); 1 where the queue has been unused for as long as its setting says;
-- 1 where it copies what its sources held (CopyEarlier.lua).
local queue = open({ 'early' })
if not queue then return { -1, 0, 0, 0 } end
return answer({ 0, due_after < NEVER and due_after or 0, unused_at() <= NOW and 1 or 0, queue.early and 1 or 0 })
