"""The load generator: keeps N requests in flight over N kept-alive connections, in a process of its own.

    python -m bench.load < plan.json > outcome.json

Hand-made on asyncio's protocols, since every microsecond that it takes is taken from the server on the same cores: it
costs about 30 us a request (httpx: 400). It trusts the server to answer with Content-Length.
"""

import asyncio
import gc
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from time import perf_counter
from typing import Any, cast

import uvloop

from bench.report import percentile

COUNTER = "@@@@@@@@"  # in a body: replaced by the number of the request, so that no two bodies are the same


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: the paths in turn, for `warmup` and then `seconds` seconds, at most `most` requests."""

    port: int
    method: str
    paths: Sequence[str]
    headers: Mapping[str, str]
    body: str
    connections: int = 32
    warmup: float = 2.0
    seconds: float = 8.0
    most: int = 100_000

    def request(self, path: str) -> bytes:
        """Return a request whose body still holds COUNTER."""
        body = self.body.encode()
        lines = [f"{self.method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back; times in milliseconds, of requests that began after the warm-up."""

    answered: int
    statuses: dict[str, int]
    rate: float
    p50: float
    p95: float
    p99: float
    slowest: float


class Generator:
    """Shares one plan among its connections."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.requests = [plan.request(path).split(COUNTER.encode()) for path in plan.paths]
        self.numbers = count()
        self.statuses: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.ended_in_window = 0
        self.began = perf_counter()
        self.measured_from = self.began + plan.warmup
        self.until = self.measured_from + plan.seconds

    def next_request(self) -> bytes | None:
        """Return what to send, None when the time or the count is used up."""
        number = next(self.numbers)
        if number >= self.plan.most or perf_counter() >= self.until:
            return None
        return f"{number:08}".encode().join(self.requests[number % len(self.requests)])

    def answered(self, status: str, sent: float) -> None:
        """Count an answer."""
        now = perf_counter()
        self.statuses[status] += 1
        if sent >= self.measured_from:
            self.latencies.append(now - sent)
        if self.measured_from <= now <= self.until:
            self.ended_in_window += 1

    def outcome(self) -> Outcome:
        """Sum up."""
        spent = min(perf_counter(), self.until) - self.measured_from
        at = {p: round(1000 * percentile(self.latencies, p), 2) for p in (50, 95, 99, 100)}
        rate = round(self.ended_in_window / spent, 1)
        return Outcome(self.statuses.total(), dict(self.statuses), rate, at[50], at[95], at[99], at[100])


class Connection(asyncio.Protocol):
    """One connection with one request in flight."""

    transport: asyncio.Transport

    def __init__(self, generator: Generator, done: asyncio.Future[None]) -> None:
        self.generator, self.done = generator, done
        self.received = bytearray()
        self.sent = 0.0
        self.finished = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self.send()

    def send(self) -> None:
        request = self.generator.next_request()
        if request is None:
            self.finished = True
            self.transport.close()
            return
        self.sent = perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head = self.received.find(b"\r\n\r\n")
        if head < 0:
            return
        lowered = bytes(self.received[:head]).lower()
        length = int(lowered.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(self.received) < head + 4 + length:
            return
        self.generator.answered(lowered[9:12].decode(), self.sent)
        if not lowered.startswith(b"http/1.1 2"):
            self.done.set_exception(RuntimeError(self.received[:2000].decode(errors="replace")))
            return
        self.received.clear()
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.done.done():
            return
        if self.finished:
            self.done.set_result(None)
        else:
            self.done.set_exception(ConnectionError("the server hung up"))


async def generate(plan: Plan) -> Outcome:
    """Run a plan to its end."""
    loop = asyncio.get_running_loop()
    generator = Generator(plan)
    ends: list[asyncio.Future[None]] = []
    for _ in range(plan.connections):
        ends.append(end := loop.create_future())
        await loop.create_connection(lambda end=end: Connection(generator, end), "127.0.0.1", plan.port)
    async with asyncio.timeout(plan.warmup + plan.seconds + 60):
        await asyncio.gather(*ends)
    return generator.outcome()


def drive(plan: Plan) -> Outcome:
    """Run a plan in a process of its own."""
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(plan)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the load generator failed: {done.stderr[-2000:]}")
    return Outcome(**json.loads(done.stdout))


def main() -> None:
    """Read a plan, run it, write the outcome."""
    gc.disable()  # a collection here would count as the server's latency
    asked: dict[str, Any] = json.load(sys.stdin)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        json.dump(asdict(runner.run(generate(Plan(**asked)))), sys.stdout)


if __name__ == "__main__":
    main()
