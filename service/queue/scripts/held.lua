-- What a worker has in hand, by what Redis knows: id, lane, id, lane, ... ARGV: worker.

return redis.call('HGETALL', CLAIMS .. ARGV[1])
