"""The one HTTP client for everything that Pharos fetches.

A name is resolved once, every address it has is checked, and the connection goes to a checked address; Host and SNI
stay the name. Redirects are followed here, hop by checked hop. Nothing is kept between requests: no cookies, no
credentials, no proxies from the environment.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import Self
from urllib.parse import urljoin

import certifi
import httpcore
import httpx

from service.security.addresses import Allowlist
from service.security.destinations import (
    BadUrl,
    CredentialsInUrl,
    EgressBlocked,
    UnsupportedScheme,
    check_url,
    configured_allowlist,
)
from service.security.fetch_errors import (
    BodyTooLarge,
    BrokenResponse,
    FetchError,
    FetchTimeout,
    HttpBusy,
    HttpRefused,
    TooManyRedirects,
    UnknownHost,
    Unreachable,
    UntrustedCertificate,
)
from service.security.inflation import CannotInflate, inflate
from service.security.network import CheckedNetwork, Resolver, resolve
from service.settings import settings

__all__ = [
    "BadUrl",
    "BodyTooLarge",
    "BrokenResponse",
    "CredentialsInUrl",
    "Egress",
    "EgressBlocked",
    "FetchError",
    "FetchTimeout",
    "Fetched",
    "HttpBusy",
    "HttpRefused",
    "Limits",
    "TooManyRedirects",
    "UnknownHost",
    "Unreachable",
    "UnsupportedScheme",
    "UntrustedCertificate",
    "check_url",
]

MEGABYTE = 1_000_000
REDIRECTS = frozenset({301, 302, 303, 307, 308})
FILE_SIGNATURES = (b"%PDF-", b"PK\x03\x04")  # what may be as large as a file; everything else is a page
HEADERS = (
    ("User-Agent", "Mozilla/5.0 (compatible; Pharos/0.1; personal library)"),
    ("Accept", "text/html,application/xhtml+xml,application/pdf,application/epub+zip,*/*;q=0.5"),
    ("Accept-Encoding", "gzip"),
)
PHRASES = {status.value: status.phrase for status in HTTPStatus}
MEANINGS = {
    401: "it asks for a login",
    402: "it asks for a payment",
    403: "it does not let Pharos read this page",
    404: "there is no such page",
    410: "the page is gone",
    429: "it has had too many requests",
    451: "the page is withheld for legal reasons",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one fetch may take: seconds, and bytes after decompression."""

    connect: float = 5.0
    total: float = 30.0
    page: int = 25 * MEGABYTE
    file: int = 100 * MEGABYTE
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    """A complete answer; `url` is the last one after redirects."""

    url: str
    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def content_type(self) -> str | None:
        """The Content-Type as sent, with its charset."""
        return self.headers.get("content-type")

    @property
    def media_type(self) -> str | None:
        """The Content-Type without parameters: a claim of the server, not a fact."""
        return (self.content_type or "").partition(";")[0].strip().lower() or None


class Egress:
    """An HTTP client that reaches public addresses and named exceptions only.

    `allow`, `limits` and `tls` default to the settings' exceptions and sizes and to the certificates of the system and
    of certifi.
    """

    def __init__(
        self,
        *,
        allow: Allowlist | None = None,
        limits: Limits | None = None,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.allow = allow if allow is not None else configured_allowlist()
        self.limits = limits or Limits(page=settings().max_page_mb * MEGABYTE, file=settings().max_file_mb * MEGABYTE)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or _trusted_certificates(),
            max_connections=100,
            max_keepalive_connections=10,
            keepalive_expiry=5.0,
            network_backend=CheckedNetwork(self.allow, resolver),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.aclose()

    async def fetch(
        self, url: str, *, max_bytes: int | None = None, headers: Mapping[str, str] | None = None
    ) -> Fetched:
        """Get a URL, following redirects, and return its whole decompressed body (raises BadUrl, FetchError).

        `headers` replace our own of the same name; they go along wherever it redirects to, so they hold no secret.
        """
        target = check_url(url, self.allow)
        try:
            async with asyncio.timeout(self.limits.total):
                return await self._follow(target, max_bytes, tuple((headers or {}).items()))
        except TimeoutError as error:
            raise FetchTimeout(url=_bare(target), host=target.host, seconds=self.limits.total) from error

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, max_bytes: int | None = None) -> Fetched:
        """Send JSON to a URL and return the answer's whole body; a redirect is refused (raises BadUrl, FetchError)."""
        target = check_url(url, self.allow)
        said = [("Content-Type", "application/json"), *headers.items()]
        try:
            async with asyncio.timeout(self.limits.total), self._open(target, "POST", said, body) as answer:
                _check_status(target, answer)
                return Fetched(
                    _bare(target), answer.status, answer.headers, await self._read(target, answer, max_bytes)
                )
        except TimeoutError as error:
            raise FetchTimeout(url=_bare(target), host=target.host, seconds=self.limits.total) from error

    async def _follow(self, target: httpx.URL, max_bytes: int | None, said: Sequence[tuple[str, str]]) -> Fetched:
        hops = [_bare(target)]
        outcome = await self._hop(target, max_bytes, said)
        while isinstance(outcome, str):
            try:
                target = check_url(urljoin(hops[-1], outcome), self.allow)
                if _bare(target) in hops:
                    raise TooManyRedirects(url=hops[0], reason=f"in a circle, back to {_bare(target)}")
                if len(hops) > self.limits.redirects:
                    raise TooManyRedirects(url=hops[0], reason=f"more than {self.limits.redirects} times")
                hops.append(_bare(target))
                outcome = await self._hop(target, max_bytes, said)
            except BadUrl as error:
                raise type(error)(f"{hops[0]} redirects elsewhere. {error.detail}", **error.context) from error
        return outcome

    async def _hop(self, target: httpx.URL, max_bytes: int | None, said: Sequence[tuple[str, str]]) -> Fetched | str:
        """Return the answer, or where it redirects to."""
        async with self._open(target, said=said) as answer:
            location = answer.headers.get("location")
            if answer.status in REDIRECTS and location is not None:
                return location
            _check_status(target, answer)
            body = await self._read(target, answer, max_bytes)
            return Fetched(_bare(target), answer.status, answer.headers, body)

    @asynccontextmanager
    async def _open(
        self,
        target: httpx.URL,
        method: str = "GET",
        said: Sequence[tuple[str, str]] = (),
        content: bytes | None = None,
    ) -> AsyncGenerator["_Answer"]:
        url, host, seconds = _bare(target), target.host, self.limits.total
        timeouts = {"connect": self.limits.connect, "read": seconds, "write": seconds}
        replaced = {name.lower() for name, _ in said}
        usual = [header for header in HEADERS if header[0].lower() not in replaced]
        headers = [("Host", target.netloc.decode("ascii")), *usual, *said]
        try:
            async with self._pool.stream(
                method, url, headers=headers, content=content, extensions={"timeout": timeouts}
            ) as response:
                yield _Answer(response.status, httpx.Headers(response.headers), response.aiter_stream())
        except httpcore.ConnectTimeout as error:
            reason = f"it did not accept a connection within {self.limits.connect:g} s"
            raise Unreachable(url=url, host=host, reason=reason) from error
        except httpcore.ConnectError as error:
            raise _not_connected(url, host, error) from error
        except httpcore.TimeoutException as error:
            raise FetchTimeout(url=url, host=host, seconds=seconds) from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise BrokenResponse(url=url, host=host, reason=str(error) or "the connection broke off") from error

    async def _read(self, target: httpx.URL, answer: "_Answer", max_bytes: int | None) -> bytes:
        declared = answer.headers.get("content-length", "")
        largest = max_bytes or self.limits.file
        if declared.isdecimal() and int(declared) > largest:
            raise BodyTooLarge(url=_bare(target), megabytes=largest / MEGABYTE, kind="file")
        body = bytearray()
        try:
            async for piece in inflate(answer.chunks, answer.headers.get("content-encoding", "")):
                body += piece
                is_file = body.startswith(FILE_SIGNATURES)
                limit = max_bytes or (self.limits.file if is_file else self.limits.page)
                if len(body) > limit:
                    kind = "file" if is_file else "page"
                    raise BodyTooLarge(url=_bare(target), megabytes=limit / MEGABYTE, kind=kind)
        except CannotInflate as error:
            raise BrokenResponse(url=_bare(target), host=target.host, reason=str(error)) from error
        return bytes(body)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: httpx.Headers
    chunks: AsyncIterator[bytes]


def _check_status(target: httpx.URL, answer: _Answer) -> None:
    code = answer.status
    if 200 <= code < 300:
        return
    busy = code in (408, 425, 429) or code >= 500
    phrase = PHRASES.get(code, "")
    meaning = MEANINGS.get(code) or ("the server has a problem" if code >= 500 else "it refused the request")
    raise (HttpBusy if busy else HttpRefused)(
        url=_bare(target), host=target.host, code=code, phrase=phrase, meaning=meaning, wait=_wait(answer.headers)
    )


def _wait(headers: httpx.Headers) -> int | None:
    """Return the seconds of Retry-After, which may also be a date (RFC 9110, section 10.2.3)."""
    told = headers.get("retry-after", "").strip()
    if told.isdecimal() and len(told) < 10:
        return int(told)
    try:
        at = parsedate_to_datetime(told)
    except (ValueError, OverflowError):
        return None
    return max(0, round((at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()))


def _not_connected(url: str, host: str, error: httpcore.ConnectError) -> FetchError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return UntrustedCertificate(url=url, host=host, reason=cause.verify_message)
        if isinstance(cause, ConnectionRefusedError):
            return Unreachable(url=url, host=host, reason="it refuses connections on this port")
        cause = cause.__cause__ or cause.__context__
    return Unreachable(url=url, host=host, reason=str(error) or "no connection could be made")


def _bare(url: httpx.URL) -> str:
    return str(url.copy_with(fragment=None))


@cache
def _trusted_certificates() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
