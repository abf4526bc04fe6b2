"""Child processes for parsing: started when first needed, one per document, limited, gone when idle."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from service.ingestion.verdicts import Verdict
from service.ingestion.zygote import REQUEST
from service.settings import settings

IDLE = 60.0  # seconds without a document after which the zygote ends
QUICK = 2.0  # seconds after which a document no longer holds up the next
BOOT = 30.0  # seconds that a zygote may take to load the parsers on a busy machine
LEAVE = 5.0  # seconds that a zygote may take to end
LARGEST_ANSWER = 200_000_000  # bytes
PIECE = 1 << 20
ROOT = Path(__file__).parents[2]


class NoVerdict(Exception):
    """The zygote ended before it told how its child did."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a parser process wrote, and how it ended."""

    output: memoryview
    verdict: Verdict


class Sandbox:
    """Runs parser processes with `memory` bytes and `seconds` each.

    One document is read at a time; when it takes longer than `QUICK`, the next begins, up to `most` together: the usual
    load takes the memory of one parser, and a few slow documents do not hold up the others.
    """

    def __init__(self, most: int, memory: int, seconds: int, reader: str = "service.ingestion.reading") -> None:
        self.memory = memory
        self.seconds = seconds
        self.reader = reader
        self.loop = asyncio.get_running_loop()
        self._places = asyncio.Semaphore(most)
        self._turn = asyncio.Semaphore(1)
        self._starting = asyncio.Lock()
        self._busy = 0
        self._zygote: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    async def run(self, source: bytes, body: bytes) -> Answer:
        """Hand a document to a child process and wait for its end; cancelling kills the child."""
        async with self._places, self._my_turn():
            self._busy += 1
            if self._idle is not None:
                self._idle.cancel()
            try:
                return await self._attempt(source, body)
            except NoVerdict:
                return await self._attempt(source, body)
            finally:
                self._busy -= 1
                if not self._busy:
                    self._idle = self.loop.call_later(IDLE, self._close_soon)

    @asynccontextmanager
    async def _my_turn(self) -> AsyncGenerator[None]:
        """Hold the turn until the document is read, but not longer than `QUICK`."""
        await self._turn.acquire()
        held = True

        def pass_on() -> None:
            nonlocal held
            if held:
                held = False
                self._turn.release()

        timer = self.loop.call_later(QUICK, pass_on)
        try:
            yield
        finally:
            timer.cancel()
            pass_on()

    async def close(self) -> None:
        """End the zygote and wait until it is gone; the next document starts another."""
        async with self._starting:
            control, zygote, self._control, self._zygote = self._control, self._zygote, None, None
        if control is not None and zygote is not None:
            control.close()
            await asyncio.to_thread(_wait, zygote)

    def _close_soon(self) -> None:
        self._closing = self.loop.create_task(self._close_if_idle())

    async def _close_if_idle(self) -> None:
        if not self._busy:
            await self.close()

    async def _attempt(self, source: bytes, body: bytes) -> Answer:
        """Fork a child and talk with it; NoVerdict, and another zygote next time, when this one is dead or stuck."""
        control = await self._ready()
        ours, theirs = socket.socketpair()
        try:
            with ours:
                ours.setblocking(False)
                with theirs:
                    socket.send_fds(control, [b"\0"], [theirs.fileno()])
                async with asyncio.timeout(BOOT + self.seconds):
                    return await self._converse(ours, source, body)
        except (NoVerdict, ConnectionError, TimeoutError) as error:
            if control is self._control:
                await self.close()
            raise NoVerdict from error

    async def _converse(self, line: socket.socket, source: bytes, body: bytes) -> Answer:
        with suppress(ConnectionError):  # it may end early, and its verdict says why
            await self.loop.sock_sendall(line, REQUEST.pack(len(source), len(body)) + source)
            await self.loop.sock_sendall(line, body)
        received = bytearray()
        while piece := await self.loop.sock_recv(line, PIECE):
            received += piece
            if len(received) > LARGEST_ANSWER:
                return Answer(memoryview(b""), Verdict.crash())
        split = Verdict.split(received)
        if split is None:
            raise NoVerdict
        return Answer(*split)

    async def _ready(self) -> socket.socket:
        async with self._starting:
            if self._control is None:
                self._control, self._zygote = await asyncio.to_thread(self._start)
            return self._control

    def _start(self) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        ours, theirs = socket.socketpair()
        with theirs:
            limits = [str(theirs.fileno()), str(self.memory), str(self.seconds)]
            zygote = subprocess.Popen(  # noqa: S603  # nothing in it comes from outside
                [sys.executable, "-m", "service.ingestion.zygote", *limits, self.reader],
                cwd="/",
                env={"PYTHONPATH": str(ROOT), "PATH": os.defpath, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a Ctrl-C is for the worker, who then hangs up
            )
        return ours, zygote


def _wait(zygote: subprocess.Popen[bytes]) -> None:
    try:
        zygote.wait(LEAVE)
    except subprocess.TimeoutExpired:
        zygote.kill()
        zygote.wait()


_current: Sandbox | None = None


def sandbox() -> Sandbox:
    """Return the sandbox of this process, sized by the settings."""
    global _current
    if _current is None or _current.loop is not asyncio.get_running_loop():
        _current = Sandbox(settings().parsers, settings().parser_memory_mb << 20, settings().parser_seconds)
    return _current
