"""A typed, async client of the HTTP interface: `pharos.client`. It imports nothing else of Pharos.

    async with Client("https://pharos.example", token) as pharos:
        await pharos.resources.add("https://example.org/")
        async for hit in pharos.search("tides"):
            print(hit.title)

client.py      Client: everything that can be asked for, by noun
transport.py   the connection: credentials, time limits, repeats
errors.py      what can go wrong
models.py      what is answered
"""

from .client import Client
from .errors import (
    Changed,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    NotPharos,
    PharosError,
    RateLimited,
    Refused,
    TooLarge,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from .transport import UNSET

__all__ = [
    "UNSET",
    "Changed",
    "Client",
    "Conflict",
    "Forbidden",
    "Gone",
    "Invalid",
    "NotFound",
    "NotPharos",
    "PharosError",
    "RateLimited",
    "Refused",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
]
