"""Undoing HTTP compression piece by piece, so that a small body can never become a large one in one step."""

import asyncio
import zlib
from collections.abc import AsyncIterator

PIECE = 256 * 1024  # bytes at most per step; the reader counts after each


class CannotInflate(Exception):
    """The body is not what its Content-Encoding says."""


async def inflate(chunks: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    """Yield the decompressed body in pieces of at most 256 KiB.

    `encoding` is the Content-Encoding: gzip, deflate or identity (raises CannotInflate for others and for broken data).
    """
    name = encoding.strip().lower() or "identity"
    if name == "identity":
        async for chunk in chunks:
            yield chunk
        return
    if name not in ("gzip", "x-gzip", "deflate"):
        raise CannotInflate(f"it is compressed with {name}, which was not asked for")
    stream = zlib.decompressobj(zlib.MAX_WBITS | 32)  # reads the gzip and the zlib wrapping alike
    empty = True
    try:
        async for chunk in chunks:
            data, empty = chunk, False
            while data and not stream.eof:
                piece = stream.decompress(data, PIECE)
                data = stream.unconsumed_tail
                if piece:
                    yield piece
                await asyncio.sleep(0)
            if stream.eof:
                return
    except zlib.error as error:
        raise CannotInflate(f"its compression is broken ({error})") from error
    if not empty:
        raise CannotInflate("its compressed body ends too early")
