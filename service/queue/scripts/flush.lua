-- Drop what waits in a queue, and what runs of it. ARGV: queue.

local queue = ARGV[1]
local messages = messages_of(queue)
for _, id in ipairs(redis.call('HKEYS', messages)) do
  local spec = redis.call('HGET', TASK .. id, 'x')
  redis.call('HDEL', messages, id) -- first: nobody who waits for this one's place or turn gets it from this queue
  if spec then
    free(id, spec)
    advance(id, spec)
  end
  redis.call('UNLINK', TASK .. id, GATHERED .. id)
end
redis.call('UNLINK', messages, due_of(queue), NS .. queue, NS .. queue .. ':bulk', NS .. queue .. ':suspect')
for rank = 0, 9 do
  redis.call('UNLINK', NS .. queue .. ':' .. rank)
end
