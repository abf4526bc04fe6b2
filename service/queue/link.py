"""The connection to Redis: one per event loop, shared, pipelined.

redis-py spends half a millisecond of processor time on a pipeline of a hundred messages; this spends a tenth. Threads
without an event loop use redis-py.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, unquote, urlsplit
from weakref import WeakKeyDictionary

from service.errors import Unavailable
from service.settings import settings

if TYPE_CHECKING:
    import redis

TIMEOUT = 1.0  # seconds that Redis may take to answer
ENOUGH = 32  # commands that are not kept back for more: Redis works meanwhile
NAMESPACE = "dramatiq"

Command = Sequence[str | bytes | int]


class BrokerAway(Unavailable):
    """The task queue is away: {reason}. What was to be sent is kept, and goes out when it is back."""


class Link(asyncio.Protocol):
    """One connection. Replies come in the order of the requests; what nobody waits for is news from a subscription."""

    def __init__(self, news: Callable[[Any], None]) -> None:
        import hiredis

        self.lost = asyncio.get_running_loop().create_future()
        self._pack: Callable[[tuple[Any, ...]], bytes] = hiredis.pack_command  # its stub knows tuples of one only
        self._reader, self._news = hiredis.Reader(), news
        self._waiting: deque[tuple[int, list[Any], asyncio.Future[list[Any]]]] = deque()
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            if not self._waiting:
                self._news(reply)
                continue
            expected, replies, future = self._waiting[0]
            replies.append(reply)
            if len(replies) == expected:
                self._waiting.popleft()
                if not future.done():
                    future.set_result(replies)

    def connection_lost(self, exc: Exception | None) -> None:
        error = BrokerAway(reason=str(exc) if exc else "it closed the connection")
        for _, _, future in self._waiting:
            if not future.done():
                future.set_exception(error)
        self._waiting.clear()
        if not self.lost.done():
            self.lost.set_result(error)

    def request(self, commands: Sequence[Command]) -> asyncio.Future[list[Any]]:
        """Send commands in one piece; the future holds their replies, errors among them as exceptions.

        What is asked in one turn of the event loop is sent together, at its end or when it is enough.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Any]] = loop.create_future()
        if self._transport is None or self.lost.done():
            future.set_exception(BrokerAway(reason="the connection was lost"))
            return future
        self._waiting.append((len(commands), [], future))
        if not self._unsent:
            loop.call_soon(self._send)
        self._unsent += [self._pack(tuple(command)) for command in commands]
        if len(self._unsent) >= ENOUGH:
            self._send()
        return future

    def _send(self) -> None:
        if self._unsent and self._transport is not None:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _nothing(news: Any) -> None: ...


async def connect(url: str, news: Callable[[Any], None] = _nothing) -> Link:
    """Open a connection to `redis[s]://[user:password@]host[:port][/database]` or `unix://[...@]/path[?db=database]`.

    Raises OSError or BrokerAway. The caller limits the time.
    """
    loop, target = asyncio.get_running_loop(), urlsplit(url)
    if target.scheme == "unix":
        database = parse_qs(target.query).get("db", ["0"])[0]
        _, link = await loop.create_unix_connection(lambda: Link(news), target.path)
    else:
        database = target.path.strip("/") or "0"
        context = ssl.create_default_context() if target.scheme == "rediss" else None
        host, port = target.hostname or "127.0.0.1", target.port or 6379
        _, link = await loop.create_connection(lambda: Link(news), host, port, ssl=context)
    commands: list[Command] = [("SELECT", database)]
    if target.password is not None:
        user = [unquote(target.username)] if target.username else []
        commands.insert(0, ("AUTH", *user, unquote(target.password)))
    try:
        for reply in await link.request(commands):
            if isinstance(reply, Exception):
                raise BrokerAway(reason=str(reply))
    except BaseException:
        link.close()
        raise
    return link


class Client:
    """A connection that is opened when it is needed, and again when it was lost."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._link: Link | None = None
        self._opening = asyncio.Lock()

    async def call(self, *commands: Command) -> list[Any]:
        """Send commands in one hop and return their replies, errors among them as exceptions.

        Raises BrokerAway after `TIMEOUT`; then nobody knows which of them ran.
        """
        if not commands:
            return []
        try:
            async with asyncio.timeout(TIMEOUT):
                link = self._link
                if link is None or link.lost.done():
                    link = await self._open()
                return await link.request(commands)
        except TimeoutError as error:
            self.close()
            raise BrokerAway(reason=f"no answer within {TIMEOUT:g} s") from error
        except OSError as error:
            raise BrokerAway(reason=str(error) or type(error).__name__) from error

    async def read(self, *commands: Command) -> list[Any]:
        """Send commands that fail only when Redis is away: raises BrokerAway for errors among the replies too."""
        replies = await self.call(*commands)
        for reply in replies:
            if isinstance(reply, Exception):
                raise BrokerAway(reason=str(reply))
        return replies

    async def _open(self) -> Link:
        async with self._opening:
            if self._link is None or self._link.lost.done():
                self._link = await connect(self.url)
            return self._link

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None


_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Client] = WeakKeyDictionary()


def address() -> str:
    """Return where the broker is; raises BrokerAway where nobody says."""
    url = settings().broker_url
    if url is None:
        raise BrokerAway(reason="PHAROS_BROKER_URL is not set; `make up` sets it for the processes that it starts")
    return url


def client() -> Client:
    """Return the running loop's client of the broker."""
    loop, url = asyncio.get_running_loop(), address()
    known = _clients.get(loop)
    if known is None or known.url != url:
        if known is not None:
            known.close()
        known = _clients[loop] = Client(url)
    return known


@asynccontextmanager
async def connected() -> AsyncGenerator[None]:
    """Close the running loop's connection at the end; it opens by itself when it is needed."""
    try:
        yield
    finally:
        known = _clients.pop(asyncio.get_running_loop(), None)
        if known is not None:
            known.close()


def blocking_client() -> "redis.Redis":
    """Return a new client for a thread without an event loop; whoever asks closes it."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    # Who calls knows whether a repetition is safe: no retries here. RESP2 spares the handshake of RESP3.
    return Redis.from_url(
        address(),
        retry=Retry(NoBackoff(), 0),
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        protocol=2,
        driver_info=None,
    )
