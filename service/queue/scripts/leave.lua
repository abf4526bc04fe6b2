-- Sign a worker off: worker, then its lanes. One that still has something in hand stays, for the reaper.

local worker = ARGV[1]
redis.call('SREM', FREE, worker)
for i = 2, #ARGV do
  redis.call('SREM', NS .. ARGV[i] .. ':idle', worker)
end
if redis.call('HLEN', CLAIMS .. worker) == 0 then
  redis.call('DEL', TURN .. worker)
  redis.call('HDEL', PROFILES, worker)
  redis.call('ZREM', WORKERS, worker)
end
