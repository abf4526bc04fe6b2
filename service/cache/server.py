"""The cache's Redis, as one process sees it: nobody waits long for it, and nothing that it was not told stays valid.

    usable   reads take part while every answer comes in time
    slow     an answer is overdue: reads go without; what is forgotten is sent, in order, and not waited for
    away     the connection is lost, or an answer overdue for `OVERDUE`: a probe opens the next one by itself

What could not be forgotten for sure is a debt. The probe pays it by ending every generation at once, before anybody in
this process uses the next connection. What was kept before a restart of the server is no longer valid either: a server
that reads its data back may have lost the last things that were forgotten.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from service.cache.keys import EVERYTHING, generation
from service.errors import Unavailable
from service.queue.link import BrokerAway, Command, Link, connect

log = structlog.get_logger(__name__)

READ = 0.02  # seconds that a reader waits; then it goes without
LOOK = 0.001  # of these, after which the event loop has looked at its connections once more
FORGET = 0.25  # seconds that a writer waits
OVERDUE = 1.0  # seconds after which a connection that owes an answer is given up
PAUSES = (0.05, 1.0)  # seconds between two tries to connect: the first, and the longest

SCRIPTS = {name: (Path(__file__).parent / "scripts" / f"{name}.lua").read_text() for name in ("lease", "keep")}


class CacheAway(Unavailable):
    """The cache gives no answer ({reason}): what it would hold is computed."""


class _Expired(Exception):
    """Nobody waits for this answer any more."""


def _expire(future: "asyncio.Future[list[Any]]", *, looked: bool = False) -> None:
    if future.done():
        return
    if looked:
        future.set_exception(_Expired())
    else:  # a busy process is no slow server: it looks first whether the answer has come meanwhile
        asyncio.get_running_loop().call_later(LOOK, partial(_expire, future, looked=True))


class Server:
    """The connection of one process to the cache's Redis."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.identity = b""  # of the run of the server; one that was restarted has another
        self.outages = 0
        self.debt = False
        self._link: Link | None = None
        self._shas: dict[str, bytes] = {}
        self._late: set[asyncio.Future[list[Any]]] = set()
        self._probe: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def usable(self) -> bool:
        """Whether readers may ask."""
        return self._link is not None and not self._late

    async def start(self, patience: float = OVERDUE) -> None:
        """Begin to connect, and wait until that is done or `patience` seconds are over."""
        self._probe = asyncio.create_task(self._open(), name="cache probe")
        await asyncio.wait([self._probe], timeout=patience)

    async def stop(self) -> None:
        """Close the connection."""
        self._stopped = True
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        if self._link is not None:
            self._link.close()
            await asyncio.wait([self._link.lost])
        self._link = None

    async def ask(self, *commands: Command, patience: float = READ) -> list[Any]:
        """Send commands in one hop and return their replies; raises CacheAway for an error among them, too."""
        link = self._link
        if link is None or self._late:
            raise CacheAway(reason="it did not answer a moment ago")
        future = link.request(commands)
        timer = asyncio.get_running_loop().call_later(patience - LOOK, _expire, future)
        try:
            replies = await future
        except _Expired:
            self._await_late(link.request([("PING",)]), link)  # replies come in order: this one after all before
            raise CacheAway(reason=f"no answer within {patience:g} s") from None
        except BrokerAway as error:
            raise CacheAway(reason=error.context["reason"]) from error
        finally:
            timer.cancel()
        for reply in replies:
            if isinstance(reply, Exception):
                raise CacheAway(reason=str(reply)) from reply
        return replies

    async def run(
        self, script: str, keys: Sequence[bytes], *arguments: bytes | str | int, patience: float = READ
    ) -> Any:
        """Run a script of `scripts/`; raises as `ask` does."""
        command = ("EVALSHA", self._shas.get(script, b""), len(keys), *keys, *arguments)
        try:
            return (await self.ask(command))[0]
        except CacheAway as error:
            if not str(error.__cause__).startswith("NOSCRIPT"):
                raise
        return (await self.ask(("EVAL", SCRIPTS[script], *command[2:])))[0]

    async def forget(self, *commands: Command) -> list[int] | None:
        """Send commands that forget; None where it is not known that they ran: then they are paid for later."""
        link = self._link
        if link is None:
            self.debt = True
            return None
        future = link.request(commands)
        future.add_done_callback(self._delivered)
        if not self._late:
            await asyncio.wait([future], timeout=FORGET)
        if not future.done():
            self._await_late(future, link)
            return None
        if future.exception() is not None or any(isinstance(reply, Exception) for reply in future.result()):
            return None
        return future.result()

    def _delivered(self, future: "asyncio.Future[list[Any]]") -> None:
        error = asyncio.CancelledError() if future.cancelled() else future.exception()
        error = error or next((reply for reply in future.result() if isinstance(reply, Exception)), None)
        if error is not None:
            self.debt = True
            if self._link is not None:
                self._lose(self._link, str(error))

    def _await_late(self, future: "asyncio.Future[list[Any]]", link: Link) -> None:
        """Let nobody read until an answer is there; give the connection up when it takes too long."""
        if not self._late:
            log.info("the cache is slow")
            asyncio.get_running_loop().call_later(OVERDUE, self._give_up, link)
        self._late.add(future)
        future.add_done_callback(self._answered)

    def _answered(self, future: "asyncio.Future[list[Any]]") -> None:
        self._late.discard(future)
        if not future.cancelled():
            future.exception()  # was looked at: whoever waits for it has gone

    def _give_up(self, link: Link) -> None:
        if self._late and link is self._link:
            self._lose(link, f"no answer within {OVERDUE:g} s")

    def _lose(self, link: Link, reason: str) -> None:
        link.close()
        if link is not self._link:
            return
        self._link = None
        if not self._stopped:
            self.outages += 1
            log.warning("the cache is away", reason=reason)
            self._probe = asyncio.get_running_loop().create_task(self._open(), name="cache probe")

    async def _open(self) -> None:
        pause, longest = PAUSES
        while True:
            try:
                async with asyncio.timeout(OVERDUE):
                    link = await connect(self.url)
                try:
                    async with asyncio.timeout(OVERDUE):
                        await self._greet(link)
                except BaseException:
                    link.close()
                    raise
                break
            except (OSError, TimeoutError, BrokerAway) as error:
                log.debug("the cache is still away", error=str(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)
        self._link = link
        link.lost.add_done_callback(lambda lost: self._lose(link, lost.result().context["reason"]))

    async def _greet(self, link: Link) -> None:
        """Learn which run of the server this is, give it the scripts, pay what is owed."""
        loads = [("SCRIPT", "LOAD", source) for source in SCRIPTS.values()]
        about, *shas = _checked(await link.request([("INFO", "server"), *loads]))
        self._shas = dict(zip(SCRIPTS, shas, strict=True))
        run = next((line for line in about.split(b"\r\n") if line.startswith(b"run_id:")), b"")
        self.identity = run.removeprefix(b"run_id:")[:16]
        while self.debt:
            self.debt = False
            try:
                _checked(await link.request([("DEL", generation(EVERYTHING))]))
            except BaseException:
                self.debt = True
                raise
            log.info("the cache starts anew: not all was forgotten that had to be")


def _checked(replies: list[Any]) -> list[Any]:
    for reply in replies:
        if isinstance(reply, Exception):
            raise BrokerAway(reason=str(reply))
    return replies
