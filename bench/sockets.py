"""Browsers: WebSockets that count what they get, in a process of its own.

    python -m bench.sockets < plan.json     writes "ready", waits for what was planned, writes the outcome

Hand-made on asyncio's protocols: 200 sockets at 500 messages a second are 100,000 frames, on the server's cores.
"""

import asyncio
import gc
import json
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from time import time
from typing import IO, Any, cast

import uvloop

FIELD = b'"timestamp":"'
BEGIN = b'{"type":"resume"}'  # from now


@dataclass(frozen=True, slots=True)
class Plan:
    """Open `sockets`, with the tokens in turn; wait until each got `expected` events of a name."""

    port: int
    tokens: Sequence[str]
    sockets: int
    event: str
    expected: int
    sampled: int = 10  # sockets of which the delay of each event is taken
    patience: float = 60.0  # seconds after which what has not come counts as lost


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came: events of the fewest and of the most, sockets still open, delays in ms of the sampled ones."""

    fewest: int
    most: int
    still_open: int
    delays: Sequence[float]


class Socket(asyncio.Protocol):
    """One browser: answers pings, counts the events of one name."""

    transport: asyncio.Transport

    def __init__(self, plan: Plan, token: str, sampled: bool) -> None:
        self.plan, self.token, self.sampled = plan, token, sampled
        self.name = f'"event":"{plan.event}"'.encode()
        self.ready = asyncio.get_running_loop().create_future()
        self.rest = b""
        self.shaken = False
        self.closed = False
        self.count = 0
        self.delays: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {self.token}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        data = self.rest + data
        start = 0
        if not self.shaken:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self.rest = data
                return
            if b" 101 " not in data[:end]:
                self.ready.set_exception(RuntimeError(data.decode(errors="replace")[:2000]))
                return
            self.shaken, start = True, end + 4
            self.transport.write(bytes((0x81, 0x80 | len(BEGIN))) + bytes(4) + BEGIN)  # masked with zeros
        size = len(data)
        while size - start >= 2:
            length, head = data[start + 1], 2
            if length == 126:
                length, head = int.from_bytes(data[start + 2 : start + 4], "big"), 4
            end = start + head + length
            if end > size:
                break
            self._frame(data[start], data[start + head : end])
            start = end
        self.rest = data[start:]

    def _frame(self, kind: int, payload: bytes) -> None:
        if kind == 0x89:
            self.transport.write(bytes((0x8A, 0x80 | len(payload))) + bytes(4) + payload)
        elif kind == 0x88:
            self.connection_lost(None)
        elif self.name in payload:
            self.count += 1
            if self.sampled:
                place = payload.index(FIELD) + len(FIELD)
                moment = datetime.fromisoformat(payload[place : payload.index(b'"', place)].decode())
                self.delays.append(1000 * (time() - moment.timestamp()))
        elif not self.ready.done() and b'"ready"' in payload:
            self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("hung up on before it was ready"))


async def run(plan: Plan) -> Outcome:
    """Open the sockets, say so, and wait."""
    loop = asyncio.get_running_loop()
    sockets: list[Socket] = []
    for number in range(plan.sockets):
        made = Socket(plan, plan.tokens[number % len(plan.tokens)], number < plan.sampled)
        await loop.create_connection(lambda made=made: made, "127.0.0.1", plan.port)
        sockets.append(made)
        if number % 50 == 49:
            await asyncio.gather(*(one.ready for one in sockets))
    await asyncio.gather(*(one.ready for one in sockets))
    print("ready", flush=True)
    deadline = loop.time() + plan.patience
    while loop.time() < deadline and any(one.count < plan.expected for one in sockets):
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)  # for what would come twice
    counts = [one.count for one in sockets]
    delays = [delay for one in sockets for delay in one.delays]
    return Outcome(min(counts), max(counts), sum(not one.closed for one in sockets), delays)


class Browsers:
    """A running process of sockets."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def outcome(self) -> Outcome:
        """Wait for the end."""
        given: dict[str, Any] = json.loads(cast("IO[str]", self._process.stdout).readline())
        return Outcome(**given)


@contextmanager
def browsers(plan: Plan) -> Generator[Browsers]:
    """Run a plan in a process of its own; all its sockets are open inside the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.sockets"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asdict(plan)))
        process.stdin.close()
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the sockets could not be opened")
        yield Browsers(process)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def main() -> None:
    """Read a plan, run it, write the outcome."""
    plan = Plan(**json.load(sys.stdin))
    gc.disable()  # a collection here would count as the server's delay
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(asdict(runner.run(run(plan)))), flush=True)


if __name__ == "__main__":
    main()
