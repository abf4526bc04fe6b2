-- Say how far a task is: id, progress; and, where a person waits for it, the channel and what its listeners are told.
-- One that does not run any more has said its last.

if redis.call('HGET', TASK .. ARGV[1], 's') == 'running' then
  redis.call('HSET', TASK .. ARGV[1], 'p', ARGV[2])
  if ARGV[3] then
    redis.call('PUBLISH', ARGV[3], ARGV[4])
  end
end
