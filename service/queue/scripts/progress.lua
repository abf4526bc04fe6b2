-- Say how far a task is: id, progress. One that does not run any more has said its last.

if redis.call('HGET', TASK .. ARGV[1], 's') == 'running' then
  redis.call('HSET', TASK .. ARGV[1], 'p', ARGV[2])
end
