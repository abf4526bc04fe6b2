"""Does this container do its work? Run by its path, without the package: `python -I -S workers/alive.py ROLE`.

It is run every ten seconds in every container, so it loads nothing but sockets: 20 ms of processor time.

    web        answers GET /health
    inference  turns a word into a vector
    worker     Redis has heard of a worker of this host within the last seconds
    timetable  Redis has heard of the timetable, whoever keeps it
"""

import os
import socket
import struct
import sys

PATIENCE = 2.5  # seconds; the health check itself gives up after three
DEAD = 15_000  # milliseconds of silence

# A worker's profile names its host; the score of its id is the time of its last beat, in milliseconds.
WORKER = f"""
local time = redis.call('TIME')
local since = time[1] * 1000 + time[2] / 1000 - {DEAD}
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', 'dramatiq:__workers__', since, '+inf')) do
  local profile = redis.call('HGET', 'dramatiq:__profiles__', worker)
  if profile and cjson.decode(profile).host == ARGV[1] then return 1 end
end
return 0
"""
TIMETABLE = f"""
local time = redis.call('TIME')
local looked = redis.call('GET', 'dramatiq:__timetable__')
return looked and time[1] * 1000 + time[2] / 1000 - looked < {DEAD} and 1 or 0
"""


def web() -> bool:
    """Ask the web server of this container."""
    with socket.create_connection(("127.0.0.1", 8000), PATIENCE) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return b" 200 " in connection.recv(64)


def inference() -> bool:
    """Ask the model server for a vector."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(os.environ["PHAROS_INFERENCE_SOCKET"])
        head, text = b'{"call":"query"}', b"lighthouse"
        connection.sendall(struct.pack(">II", len(head), len(text)) + head + text)
        return struct.unpack(">II", connection.recv(8))[1] > 0  # bytes of a vector


def redis(script: str, *arguments: str) -> bool:
    """Run a script in the broker that PHAROS_BROKER_URL names, and tell whether it returns 1."""
    user, password, host, port, number = address(os.environ["PHAROS_BROKER_URL"])
    with socket.create_connection((host, port), PATIENCE) as connection:
        replies = connection.makefile("rb")
        commands = [("AUTH", *filter(None, (user, password)))] if password else []
        for command in (*commands, ("SELECT", number), ("EVAL", script, "0", *arguments)):
            parts = [part.encode() for part in command]
            connection.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(p), p) for p in parts))
            if not replies.readline().startswith((b"+", b":1")):
                return False
        return True


def address(url: str) -> tuple[str, str, str, int, str]:
    """Return user, password, host, port and database of `redis://[user]:password@host:port/number`."""
    rest, _, number = url.partition("://")[2].partition("/")
    secret, _, place = rest.rpartition("@")
    user, _, password = secret.partition(":")
    host, _, port = place.partition(":")
    return user, password, host, int(port or 6379), number or "0"


CHECKS = {
    "web": web,
    "inference": inference,
    "worker": lambda: redis(WORKER, socket.gethostname()),
    "timetable": lambda: redis(TIMETABLE),
}

if __name__ == "__main__":
    try:
        sys.exit(not CHECKS[sys.argv[1]]())
    except OSError as error:
        sys.exit(f"{sys.argv[1]}: {error}")
