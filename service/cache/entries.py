"""Values as bytes in Redis: compact, compressed beyond 4 KB, and checked, so that what is damaged is a miss.

    format 1 | flags 1 | check 4 | length of the seal 2, of the stamp 2 | seal | stamp | payload

The seal names the generations that the value was computed under. The check covers the key: what stands under another
key, or was changed in any bit, is no value.
"""

import struct
import zlib
from typing import Any, NamedTuple

import orjson

from service.errors import PharosError

FORMAT = 1  # of an entry, and of what slices put into it: one more when either changes
COMPRESSED_FROM = 4096  # bytes
LARGEST = 8 * 2**20  # bytes; more is not kept

_HEAD = struct.Struct(">BBIHH")
_RAW, _COMPRESSED = 1, 2


class TooLargeToKeep(PharosError):
    """The value of {key} has {size} bytes, more than the cache keeps."""


class Damaged(PharosError):
    """What the cache holds for {key} is no value of it."""


class Entry(NamedTuple):
    """A value, the generations it was computed under, and of what state of its source it tells."""

    seal: bytes
    stamp: str
    value: Any


def pack(key: str, value: Any, seal: bytes, stamp: str = "") -> bytes:
    """Return a value, bytes or what JSON holds, as it is kept; raises TooLargeToKeep, TypeError."""
    flags = _RAW if isinstance(value, bytes) else 0
    payload = value if isinstance(value, bytes) else orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z)
    if len(payload) > LARGEST:
        raise TooLargeToKeep(key=key[:100], size=len(payload))
    if len(payload) > COMPRESSED_FROM and len(smaller := zlib.compress(payload, 1)) < len(payload):
        payload, flags = smaller, flags | _COMPRESSED
    written = stamp.encode()
    rest = struct.pack(">HH", len(seal), len(written)) + seal + written + payload
    return struct.pack(">BBI", FORMAT, flags, _check(key, flags, rest)) + rest


def unpack(key: str, data: bytes) -> Entry:
    """Return what was packed for this key; raises Damaged."""
    try:
        version, flags, check, seal_size, stamp_size = _HEAD.unpack_from(data)
        if version != FORMAT or check != _check(key, flags, memoryview(data)[6:]):
            raise Damaged(key=key[:100])
        at = _HEAD.size + seal_size
        seal, stamp, payload = data[_HEAD.size : at], data[at : at + stamp_size], data[at + stamp_size :]
        if flags & _COMPRESSED:
            payload = zlib.decompressobj().decompress(payload, LARGEST)
        return Entry(seal, stamp.decode(), payload if flags & _RAW else orjson.loads(payload))
    except (struct.error, zlib.error, ValueError) as error:
        raise Damaged(key=key[:100]) from error


def _check(key: str, flags: int, rest: bytes | memoryview) -> int:
    return zlib.crc32(rest, zlib.crc32(bytes((FORMAT, flags)) + key.encode(errors="surrogatepass")))


def seal_of(data: bytes) -> bytes:
    """Return the seal of an entry of which only the beginning was read; empty where it is none of this version."""
    if len(data) < _HEAD.size or data[0] != FORMAT:
        return b""
    return data[_HEAD.size : _HEAD.size + _HEAD.unpack_from(data)[3]]
