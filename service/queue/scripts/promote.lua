-- Move what is due into its lane, `ARGV[1]` per queue at most; any process may. ARGV: most, then the queues.
-- Returns how many moved, and in how many ms the next is due (-1: nothing is scheduled).

local moved, next_due = 0, nil
for i = 2, #ARGV do
  local due = due_of(ARGV[i])
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, ARGV[1])) do
    redis.call('ZREM', due, id)
    push(id, redis.call('HGET', TASK .. id, 'q') or ARGV[i])
    moved = moved + 1
  end
  local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]
  if first and (not next_due or tonumber(first) < next_due) then
    next_due = tonumber(first)
  end
end
return {moved, next_due and math.max(next_due - now, 0) or -1}
