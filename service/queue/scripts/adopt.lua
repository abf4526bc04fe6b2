-- Take over what stock producers delayed: they push it to <queue>.DQ and expect a worker to hold it. ARGV: the queues.

for _, queue in ipairs(ARGV) do
  local delayed = NS .. queue .. '.DQ'
  for _, id in ipairs(redis.call('LPOP', delayed, 500) or {}) do
    local body = redis.call('HGET', delayed .. '.msgs', id)
    if body then
      local eta = tonumber(string.match(body, '"eta": ?(%d+)')) or now
      redis.call('HDEL', delayed .. '.msgs', id)
      redis.call('HSET', messages_of(queue), id, body)
      redis.call('HSET', TASK .. id, 's', 'scheduled', 'q', queue, 't', now)
      redis.call('ZADD', due_of(queue), eta, id)
    end
  end
end
