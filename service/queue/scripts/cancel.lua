-- Cancel a task: id, queue, name. What waits ends at once; what runs, when its worker hears of it, or is lost.
-- Returns its status, and `running` where it is yet to end; or `merged` and the id of the message that absorbed it.
-- One that was not sent yet leaves its mark, so that it is left out when it is.

local id = ARGV[1]
local state = redis.call('HMGET', TASK .. id, 's', 'q', 'w', 'into')
if state[4] then
  return {'merged', state[4]}
elseif not state[1] then
  redis.call('HSET', TASK .. id, 's', 'cancelled', 'q', ARGV[2], 'n', ARGV[3], 't', now, 'z', now)
  redis.call('PEXPIRE', TASK .. id, KEPT)
  return {'cancelled', ''}
elseif WAITING[state[1]] then
  end_cancelled(id, state[2])
  return {'cancelled', ''}
elseif state[1] == 'running' then
  redis.call('HSET', TASK .. id, 'c', 1)
  redis.call('SADD', CANCELS .. state[3], id)
  redis.call('PEXPIRE', CANCELS .. state[3], 60000) -- a worker that does not look for so long counts as lost
end
return {state[1], ''}
