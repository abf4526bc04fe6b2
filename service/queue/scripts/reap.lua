-- Requeue what dead workers had in hand: those whose last beat is older than ARGV[1] ms. Returns who they were.
-- After a silence of Redis every beat is old: when nobody reaped for that long, everyone gets that long once more.

local timeout = tonumber(ARGV[1])
local reaped, grace = NS .. '__reaped__', NS .. '__grace__'
local last = tonumber(redis.call('GET', reaped) or 0)
redis.call('SET', reaped, now)
if now - last > timeout then
  redis.call('SET', grace, now + timeout)
end
if now < tonumber(redis.call('GET', grace) or 0) then
  return {}
end
local dead = redis.call('ZRANGEBYSCORE', WORKERS, '-inf', now - timeout, 'LIMIT', 0, 10)
for _, worker in ipairs(dead) do
  local claims = redis.call('HGETALL', CLAIMS .. worker)
  for i = 1, #claims, 2 do
    requeue(claims[i], claims[i + 1])
  end
  redis.call('ZADD', LOST, now, worker)
  redis.call('ZREMRANGEBYRANK', LOST, 0, -1001)
  redis.call('DEL', CLAIMS .. worker, TURN .. worker)
  redis.call('HDEL', PROFILES, worker)
  redis.call('ZREM', WORKERS, worker)
  redis.call('SREM', FREE, worker)
end
return dead
