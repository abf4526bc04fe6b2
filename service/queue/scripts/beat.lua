-- Say that a worker lives, and what it does: worker, profile, then names and numbers of what ended in this minute.

redis.call('ZADD', WORKERS, now, ARGV[1])
redis.call('HSET', PROFILES, ARGV[1], ARGV[2])
if #ARGV > 2 then
  local minute = NS .. 'minute:' .. math.floor(now / 60000)
  for i = 3, #ARGV, 2 do
    redis.call('HINCRBY', minute, ARGV[i], ARGV[i + 1])
  end
  redis.call('PEXPIRE', minute, 3 * KEPT)
end
