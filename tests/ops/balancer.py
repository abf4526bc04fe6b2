"""A proxy before web servers: hands each connection to the next one whose `/ready` says yes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from itertools import count

import httpx

LOOK = 0.3  # seconds between two looks at each `/ready`


class Balancer:
    """Knows which of its servers are ready; `port` is its own."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self.port = 0
        self.ready: set[int] = set()
        self._turn = count()
        self._serving: set[asyncio.Task[None]] = set()
        self._streams: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Balancer"]:
        """Listen, and look after the servers."""
        async with httpx.AsyncClient(timeout=5) as client:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            watching = [asyncio.create_task(self._watch(client, port)) for port in self.ports]
            try:
                yield self
            finally:
                server.close()
                for task in watching:
                    task.cancel()
                for stream in self._streams:
                    stream.transport.abort()
                await asyncio.gather(*watching, *self._serving, return_exceptions=True)

    async def _watch(self, client: httpx.AsyncClient, port: int) -> None:
        while True:
            ready = False
            with suppress(httpx.TransportError):
                ready = (await client.get(f"http://127.0.0.1:{port}/ready")).status_code == 200
            (self.ready.add if ready else self.ready.discard)(port)
            await asyncio.sleep(LOOK)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        self._streams.add(writer)
        try:
            choice = sorted(self.ready)
            if not choice:
                return
            ours, theirs = await asyncio.open_connection("127.0.0.1", choice[next(self._turn) % len(choice)])
            try:
                await asyncio.gather(_pass(reader, theirs), _pass(ours, writer))
            finally:
                theirs.close()
        except OSError:  # one of both has gone, and the other is told
            pass
        finally:
            writer.close()
            self._streams.discard(writer)
            self._serving.discard(serving)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until its end, and then the end."""
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
