-- Hand back what was not finished, uncounted: worker, then id and lane of each.

for i = #ARGV - 1, 2, -2 do
  local id, lane = ARGV[i], ARGV[i + 1]
  if redis.call('HDEL', CLAIMS .. ARGV[1], id) == 1 then
    redis.call('HINCRBY', TASK .. id, 'd', -1)
    requeue(id, lane)
  end
end
