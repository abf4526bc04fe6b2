"""One way to the server: credentials, time limits, repeats where they are safe, problems as exceptions."""

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache
from http import HTTPStatus
from itertools import count
from typing import IO, Any, Final, TypeVar
from uuid import UUID, uuid4

import httpx
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from .errors import NotPharos, Refused, Unreachable, operation, refused
from .models import Page, Part

AnswerT = TypeVar("AnswerT")
ItemT = TypeVar("ItemT")
Id = UUID | str
Upload = tuple[str, IO[bytes]]  # a name, and where the bytes are read from

PAGE = 100  # items of one request
CONNECT = 5.0  # seconds
QUIET = 45.0  # seconds without a sign of a stream that goes on; its heartbeat comes three times as often
PAUSES = 0.25, 8.0  # seconds before the first repeat, doubled with each, and the longest
PATIENCE = 60.0  # seconds; who is told to come back later than that tells its caller
IN_HAND = "urn:pharos:key-in-use"  # the first request with this key is still being worked on


class Unset(Enum):
    """What was not said, where None would say something."""

    UNSET = auto()


UNSET: Final = Unset.UNSET


def said(**fields: Any) -> dict[str, Any]:
    """Return the fields that were said, None among them."""
    return {name: value for name, value in fields.items() if value is not UNSET}


def given(**fields: Any) -> dict[str, Any]:
    """Return the fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


@dataclass(slots=True)
class Asked:
    """A request as it is sent, once or more often."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict[str, Any])
    body: Any = None
    form: Mapping[str, Any] | None = None
    files: Sequence[tuple[str, Upload]] | None = None
    content: bytes | None = None
    version: int | None = None  # `If-Match`
    keyed: bool = True  # a POST carries an `Idempotency-Key`; not where the answer holds a secret: answers are kept
    accepted: tuple[int, ...] = ()  # statuses besides 2xx whose answer is wanted
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if self.version is not None:
            self.headers["If-Match"] = f'"{self.version}"'
        if self.method == "POST" and self.keyed:
            self.headers["Idempotency-Key"] = str(uuid4())

    @property
    def repeatable(self) -> bool:
        """Tell whether sending it twice does what sending it once does."""
        rewound = all(file.seekable() for _, (_, file) in self.files or ())
        return rewound and self.version is None and (self.method != "POST" or self.keyed)


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what reads answers of a kind."""
    return TypeAdapter(kind)


class Transport:
    """A server, who asks it, and how patiently."""

    def __init__(
        self,
        server: str,
        token: str | None,
        *,
        timeout: float,
        attempts: int,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.server = server.rstrip("/")
        self.attempts = attempts
        self.timeout = httpx.Timeout(timeout, connect=min(timeout, CONNECT))
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.AsyncClient(
            base_url=self.server, headers=headers, timeout=self.timeout, trust_env=False, transport=transport
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ask(self, kind: type[AnswerT], asked: Asked) -> AnswerT:
        """Return the answer as `kind`; raises PharosError."""
        answer = await self._sent(asked)
        try:
            return adapter(kind).validate_json(answer.content)
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, wrong["loc"])) or "its body"
            words = f"{self.server} does not answer {operation(answer.request)} like Pharos: {where}: {wrong['msg']}."
            raise NotPharos(words, operation(answer.request)) from None

    async def get(self, kind: type[AnswerT], path: str, **query: Any) -> AnswerT:
        """Read something; what is None is not asked for."""
        return await self.ask(kind, Asked("GET", path, query))

    async def send(self, kind: type[AnswerT], method: str, path: str, body: Any, version: int | None = None) -> AnswerT:
        """Send JSON; None sends no body."""
        return await self.ask(kind, Asked(method, path, body=body, version=version))

    async def delete(self, path: str, version: int | None = None) -> None:
        """Delete something."""
        await self._sent(Asked("DELETE", path, version=version))

    async def download(self, path: str, **query: Any) -> AsyncGenerator[bytes]:
        """Yield a body as it comes; raises Unreachable where it breaks off."""
        async with self._streamed(Asked("GET", path, query)) as answer:
            async for piece in answer.aiter_bytes():
                yield piece

    async def lines(self, path: str, headers: dict[str, str]) -> AsyncGenerator[str]:
        """Yield the lines of an answer that goes on; raises Unreachable where it breaks off."""
        async with self._streamed(Asked("GET", path, headers=headers)) as answer:
            async for line in answer.aiter_lines():
                yield line

    async def each(self, kind: type[Page[ItemT]], path: str, limit: int | None, **query: Any) -> AsyncGenerator[ItemT]:
        """Yield the items of a list, page by page, at most `limit`."""
        seen = 0
        while limit is None or seen < limit:
            size = PAGE if limit is None else min(PAGE, limit - seen)
            page = await self.get(kind, path, **query, limit=size, offset=seen)
            for item in page.items:
                yield item
            seen += len(page.items)
            if len(page.items) < size or seen >= page.total:
                return

    async def onward(
        self, kind: type[Part[ItemT]], path: str, limit: int | None, **query: Any
    ) -> AsyncGenerator[ItemT]:
        """Yield the items of a list whose parts say where the next one begins, at most `limit`."""
        seen, after = 0, None
        while limit is None or seen < limit:
            size = PAGE if limit is None else min(PAGE, limit - seen)
            part = await self.get(kind, path, **query, limit=size, after=after)
            for item in part.items:
                yield item
            seen, after = seen + len(part.items), part.next
            if after is None:
                return

    @asynccontextmanager
    async def _streamed(self, asked: Asked) -> AsyncGenerator[httpx.Response]:
        answer = await self._sent(asked, stream=True)
        try:
            yield answer
        except httpx.TransportError as error:
            raise self._unreachable(error, answer.request) from error
        finally:
            await answer.aclose()

    async def _sent(self, asked: Asked, *, stream: bool = False) -> httpx.Response:
        """Send it, again where that is safe and may help; raises PharosError."""
        lost = False  # whether an earlier one may have been done although nobody said so
        for attempt in count(1):
            request = self._request(asked, stream=stream)
            try:
                answer = await self._http.send(request, stream=True)
                if not stream or answer.is_error:
                    await answer.aread()
            except httpx.TransportError as error:
                never_sent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
                lost = lost or not never_sent
                if attempt >= self.attempts or not (never_sent or asked.repeatable):
                    raise self._unreachable(error, request) from error
                pause = _backoff(attempt)
            else:
                if answer.is_success or answer.status_code in asked.accepted:
                    return answer
                if lost and asked.method == "DELETE" and answer.status_code == HTTPStatus.NOT_FOUND:
                    return answer
                problem = refused(answer)
                wanted = _pause(problem, asked, attempt)
                if attempt >= self.attempts or wanted is None:
                    raise problem
                pause = wanted
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    def _request(self, asked: Asked, *, stream: bool) -> httpx.Request:
        timeout = self.timeout
        if asked.files or asked.content is not None:  # it takes as long as it takes
            timeout = httpx.Timeout(None, connect=self.timeout.connect)
        elif stream:
            timeout = httpx.Timeout(QUIET, connect=self.timeout.connect)
        return self._http.build_request(
            asked.method,
            asked.path,
            params=given(**to_jsonable_python(asked.query)),
            json=None if asked.body is None else to_jsonable_python(asked.body),
            data=None if asked.form is None else given(**to_jsonable_python(asked.form)),
            files=asked.files,
            content=asked.content,
            headers=asked.headers,
            timeout=timeout,
        )

    def _unreachable(self, error: httpx.TransportError, request: httpx.Request) -> Unreachable:
        return Unreachable(
            f"{self.server} cannot be reached: {str(error) or type(error).__name__}.", operation(request)
        )


def _pause(problem: Refused, asked: Asked, attempt: int) -> float | None:
    """Return after how many seconds a refused request may be sent again; None: never, or not soon enough."""
    if problem.type == IN_HAND and attempt > 1:
        return _backoff(attempt)
    undone = problem.status == HTTPStatus.TOO_MANY_REQUESTS  # whatever it was, nothing of it was done
    if problem.retry_after is None or not (
        undone or (problem.status == HTTPStatus.SERVICE_UNAVAILABLE and asked.repeatable)
    ):
        return None
    return None if problem.retry_after > PATIENCE else problem.retry_after + random.uniform(0, PAUSES[0])


def _backoff(attempt: int) -> float:
    """Return the pause before the next attempt: exponential, of which a random half to whole."""
    return min(PAUSES[1], PAUSES[0] * 2 ** (attempt - 1)) * random.uniform(0.5, 1)
