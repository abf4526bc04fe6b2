-- Settle one task that has something to say: worker, id, lane, status, result, error. Only the owner may, once.

local worker, id, lane, status, result, error = unpack(ARGV)
if redis.call('HDEL', CLAIMS .. worker, id) == 1 then
  redis.call('HDEL', messages_of(lane), id)
  redis.call('UNLINK', GATHERED .. id)
  redis.call('HSET', TASK .. id, 's', status, 'z', now)
  remember(status, {id})
  if result ~= '' then
    redis.call('HSET', TASK .. id, 'r', result)
  end
  if error ~= '' then
    redis.call('HSET', TASK .. id, 'e', error)
  end
  local spec = redis.call('HGET', TASK .. id, 'x')
  if spec then
    free(id, spec)
    advance(id, spec)
  end
  redis.call('PEXPIRE', TASK .. id, KEPT)
end
