-- Schedule another try of what this worker has in hand: worker, id, lane, delay (ms), failed attempts, error,
-- deliveries that count from now on, message.
-- It gets its slot back; where a newer message has the slot, that one does the work.

local worker, id, lane, delay = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('HDEL', CLAIMS .. worker, id) == 0 then
  return
end
lane = string.gsub(lane, ':suspect$', '')
local state = redis.call('HMGET', TASK .. id, 'f', 'g', 'x')
if state[3] then
  free(id, state[3])
end
if not was_cancelled(id, lane) and reopen(id, state[2] == '0' and state[1], lane) then
  local due = now + delay
  redis.call('HSET', messages_of(lane), id, ARGV[8])
  redis.call('HSET', TASK .. id, 's', 'retrying', 'q', lane, 'd', ARGV[7], 'a', ARGV[5], 'e', ARGV[6], 'l', due)
  redis.call('HDEL', TASK .. id, 'w')
  redis.call('ZADD', due_of(lane), due, id)
end
