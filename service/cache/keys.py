"""Names in the cache: how long each kind of value lives, and what is forgotten with what.

A key is parts with colons between. Whatever forgets a name forgets the key of that name and all below it:
`graph:1` takes `graph:1:neighbors` along, and `graph` takes both. Tags are names like any other.
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

TTLS = {  # seconds, by the first parts of a key; `*` stands for any one
    "embedding:*": 3600,
    "quality:*": 1800,
    "search_query:*": 300,
    "resource:*": 600,
    "graph:*:neighbors": 1800,
    "user:*:profile": 600,
    "recommendations:*": 300,
    "classification:*": 3600,
}
DEFAULT_TTL = 300  # seconds
PREFIXES = frozenset(form.partition(":")[0] for form in TTLS)
EVERYTHING = ""  # the name that all others are below

DEPTH = 3  # parts below which only the whole key has a generation of its own
LONGEST = 200  # characters of a name that stands in Redis as it is
_ENTRY, _LEASE, _GENERATION = b"pharos:cache:e:", b"pharos:cache:l:", b"pharos:cache:g:"
_FORMS = [(form.split(":"), ttl) for form, ttl in TTLS.items()]


class Place(NamedTuple):
    """Where a value stands in Redis: its entry, the lease of whoever computes it, and the generations it belongs to."""

    key: str
    prefix: str
    entry: bytes
    lease: bytes
    generations: list[bytes]


def get_default_ttl(key: str) -> int:
    """Return how long a value lives that nothing forgets before, seconds."""
    parts = key.split(":", DEPTH)
    for form, ttl in _FORMS:
        if len(parts) >= len(form) and all(one in ("*", part) for one, part in zip(form, parts, strict=False)):
            return ttl
    return DEFAULT_TTL


def prefix_of(key: str) -> str:
    """Return the kind of a key, as statistics count it."""
    first = key.partition(":")[0]
    return first if first in PREFIXES else "other"


def place(key: str, tags: Iterable[str] = ()) -> Place:
    """Return where a value stands; it is forgotten with its key, with what that is below, and with each of its tags."""
    return _place(key) if not tags and len(key) <= LONGEST else _place.__wrapped__(key, tuple(tags))


@lru_cache(4096)
def _place(key: str, tags: tuple[str, ...] = ()) -> Place:
    names = dict.fromkeys([EVERYTHING, *_above(key), key, *tags])
    return Place(key, prefix_of(key), entry(key), _in_redis(_LEASE, key), [generation(name) for name in names])


def entry(key: str) -> bytes:
    """Return the Redis key of a value."""
    return _in_redis(_ENTRY, key)


def generation(name: str) -> bytes:
    """Return the Redis key of a generation."""
    return _in_redis(_GENERATION, name)


def name_of(pattern: str) -> str:
    """Return the name that covers all that a pattern matches: what is literal of it, by whole parts.

    `graph:*` is `graph`, `search_query:ab*` is `search_query`, `*` is everything; more may be forgotten than matches.
    """
    wild = min((at for mark in "*?[" if (at := pattern.find(mark)) >= 0), default=-1)
    return pattern if wild < 0 else pattern[:wild].rpartition(":")[0]


def _above(key: str) -> list[str]:
    parts = key.split(":", DEPTH)[:DEPTH]
    return [":".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def _in_redis(kind: bytes, name: str) -> bytes:
    if len(name) <= LONGEST and name.isascii() and not name.startswith("#"):
        return kind + name.encode()
    return kind + b"#" + blake2b(name.encode(errors="surrogatepass"), digest_size=32).hexdigest().encode()


def generations_of(entry: bytes) -> list[bytes]:
    """Return the generations that a value belongs to as far as its Redis key tells: not its tags."""
    written = entry.removeprefix(_ENTRY)
    if written.startswith(b"#"):
        return [generation(EVERYTHING)]
    return place(written.decode()).generations
