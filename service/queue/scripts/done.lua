-- Settle what has succeeded and says nothing: worker, then id and lane of each. Only the owner may, once.

local worker = ARGV[1]
local gone = {} -- ids by hash of messages
for i = 2, #ARGV, 2 do
  local id, messages = ARGV[i], messages_of(ARGV[i + 1])
  if redis.call('HDEL', CLAIMS .. worker, id) == 1 then
    redis.call('HSET', TASK .. id, 's', 'succeeded', 'z', now)
    redis.call('PEXPIRE', TASK .. id, KEPT)
    local ids = gone[messages]
    if ids then
      ids[#ids + 1] = id
    else
      gone[messages] = {id}
    end
  end
end
for messages, ids in pairs(gone) do
  redis.call('HDEL', messages, unpack(ids))
  remember('succeeded', ids)
end
