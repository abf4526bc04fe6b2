-- Say that a worker lives, and what it does: worker, profile.

redis.call('ZADD', WORKERS, now, ARGV[1])
redis.call('HSET', PROFILES, ARGV[1], ARGV[2])
