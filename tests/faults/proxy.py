"""Stands between a client and a server, and now and then hangs up instead of passing a reply on."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Proxy:
    """`chance` is that of a reply to be dropped, with its connection."""

    def __init__(self, target: str, chance: float) -> None:
        self.url, self.chance = target, chance
        self.dropped = 0
        self._address = urlsplit(target)
        self._serving: set[asyncio.Task[None]] = set()
        self._streams: set[asyncio.StreamWriter] = set()
        self._random = random.Random(7)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Proxy"]:
        """Listen; `url` is the address of the proxy meanwhile."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        netloc = self._address.netloc.rpartition(":")[0]
        self.url = self._address._replace(netloc=f"{netloc}:{port}").geturl()
        try:
            yield self
        finally:
            server.close()
            for stream in self._streams:
                stream.transport.abort()
            await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        try:
            upstream, downstream = await asyncio.open_connection(self._address.hostname, self._address.port)
        except OSError:  # the server is away
            writer.close()
            self._serving.discard(serving)
            return
        streams = {writer, downstream}
        self._streams |= streams

        async def forward() -> None:
            with suppress(OSError):
                while data := await reader.read(65536):
                    downstream.write(data)
            downstream.close()

        forwarding = asyncio.create_task(forward())
        with suppress(OSError):
            while data := await upstream.read(65536):
                if self._random.random() < self.chance:
                    self.dropped += 1
                    break
                writer.write(data)
        for stream in streams:
            stream.close()
        await asyncio.gather(forwarding, writer.wait_closed(), downstream.wait_closed(), return_exceptions=True)
        self._streams -= streams
        self._serving.discard(serving)
