"""What every request passes before a route: who is it really from, how large may it be, who asks, how often.

Plain ASGI, outermost first: `Forwarded`, `SecurityHeaders`, `BodyLimit`, `Authentication`.
"""

import asyncio
from functools import lru_cache
from ipaddress import ip_address
from time import monotonic
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from service.errors import Forbidden, PharosError, TooLarge, TooSlow
from service.security.accounts import Account
from service.security.authentication import authenticate
from service.security.limits import ADMIN, INGEST, MAIL, SEARCH, WRITE, Limit, limiter
from service.security.sessions import COOKIE
from service.settings import settings
from service.web import problem

PATIENCE = 30.0  # seconds
LEAST = 1024  # bytes a second

Headers = list[tuple[bytes, bytes]]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
UPLOADS = ("/documents", "/import")
SIGN_IN = ("/auth/login", "/auth/link", "/auth/register")  # act for whoever they name, not for who the cookie names
NEVER_ASKED = ("/health", "/ready", "/ui/static/")  # these answer without a database

LIMITED: dict[tuple[str, str], Limit] = {  # other unsafe methods count as WRITE, other reads are free
    ("POST", "/ingest"): INGEST,
    ("POST", "/documents"): INGEST,
    ("POST", "/uploads"): INGEST,
    ("POST", "/import"): INGEST,
    ("POST", "/ui/add"): INGEST,
    ("POST", "/notifications/digest/address"): MAIL,
    ("POST", "/notifications/digest/test"): MAIL,
    ("GET", "/search"): SEARCH,
    ("POST", "/search"): SEARCH,
    ("GET", "/ui/search/results"): SEARCH,
}

# fmt: off
HEADERS: Headers = [
    (b"content-security-policy",
     b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
     b"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"private, no-cache"),
]
# fmt: on


class CrossSite(Forbidden):
    """This request was made by another site than {host}. Behind a proxy, PHAROS_PUBLIC_URL must be our address."""


class Forwarded:
    """Believes `X-Forwarded-For` and `-Proto` of the proxies in PHAROS_TRUSTED_PROXIES, and of nobody else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._networks = settings().trusted_proxies
        self._trusted = lru_cache(4096)(self._is_trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if self._networks and client and self._trusted(client[0]):
            scope["client"] = (self._client(scope["headers"]) or client[0], 0)
            scheme = (_header(scope["headers"], b"x-forwarded-proto") or "").rpartition(",")[2].strip()
            if scheme in ("http", "https"):
                scope["scheme"] = scheme.replace("http", "ws") if scope["type"] == "websocket" else scheme
        await self.app(scope, receive, send)

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def _client(self, headers: Headers) -> str | None:
        """Walk back from the nearest proxy to the first that is none of ours; what stands before it is hearsay."""
        named = b",".join(value for name, value in headers if name == b"x-forwarded-for").decode("latin-1")
        client = None
        for hop in reversed(named.split(",")):
            address = hop.strip().rpartition("]")[0].lstrip("[") or hop.strip()
            if address.count(":") == 1:
                address = address.partition(":")[0]
            try:
                ip_address(address)
            except ValueError:
                break
            client = address
            if not self._trusted(address):
                break
        return client


class SecurityHeaders:
    """Adds `HEADERS` to every answer that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(header for header in HEADERS if header[0] not in present)]
            await send(message)

        await self.app(scope, receive, sender)


class BodyLimit:
    """Refuses bodies beyond PHAROS_MAX_BODY_MB, or PHAROS_MAX_UPLOAD_MB where files go in: announced or not.

    And those that trickle in, at less than `LEAST` bytes a second after `PATIENCE` seconds: they would hold a place for
    as long as they like.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._body, self._upload = settings().max_body_mb * 2**20, settings().max_upload_mb * 2**20

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        files = (_header(scope["headers"], b"content-type") or "").startswith("multipart/")
        limit = self._upload if files and scope["path"].startswith(UPLOADS) else self._body
        announced = _header(scope["headers"], b"content-length") or "0"
        if len(announced) > 18 or not announced.isdecimal() or int(announced) > limit:
            response = problem(TooLarge(limit=limit))
            response.headers["connection"] = "close"  # or the rest would be read, to be thrown away
            await response(scope, receive, send)
            return
        received, began, more = 0, monotonic(), True

        async def counted() -> Message:
            nonlocal received, more
            if not more:  # what comes now is that the client leaves
                return await receive()
            patience = began + PATIENCE + received / LEAST - monotonic()
            try:
                async with asyncio.timeout(patience):
                    message = await receive()
            except TimeoutError:
                raise TooSlow(received=received, seconds=round(monotonic() - began), least=LEAST) from None
            received += len(message.get("body", b""))
            more = message.get("more_body", False)
            if received > limit:
                raise TooLarge(limit=limit)
            return message

        await self.app(scope, counted, send)


class Authentication:
    """Fills `scope["account"]`, None for nobody; routes decide who may pass. Checks the origin, counts requests.

    A bearer token counts before a cookie. A browser sends the cookie by itself, on behalf of any site: then a request
    that changes something must name our own origin.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._limited = settings().rate_limits
        self._public_host = urlsplit(settings().public_url or "").netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            scope["account"] = None
            try:
                if not scope["path"].startswith(NEVER_ASKED):
                    account = scope["account"] = await self._account(scope)
                    if account is not None and self._limited and scope["type"] == "http":
                        await _count(scope, account)
            except PharosError as error:
                says_why = scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {})
                refusal = problem(error) if says_why else WebSocketClose(1008, error.detail)
                await refusal(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _account(self, scope: Scope) -> Account | None:
        bearer = cookie = None
        for name, value in scope["headers"]:
            if name == b"authorization" and value[:7].lower() == b"bearer ":
                bearer = value[7:].strip()
            elif name == b"cookie":
                cookie = _session_cookie(value) or cookie
        client = scope.get("client")
        address = client[0] if client else None
        if bearer is not None:  # no browser sends it by itself
            return await authenticate(bearer.decode(errors="surrogateescape"), address)
        if scope["type"] == "websocket":
            own = self._is_own(scope["headers"])
            if own is False:
                raise CrossSite(host=_header(scope["headers"], b"host") or "this one")
            return await authenticate(cookie, address) if cookie and own else None
        if scope["method"] not in SAFE:
            own = self._is_own(scope["headers"])
            silent_is_fine = cookie is None or scope["path"] in SIGN_IN
            if own is False or (own is None and not silent_is_fine):
                raise CrossSite(host=_header(scope["headers"], b"host") or "this one")
        return await authenticate(cookie, address) if cookie else None

    def _is_own(self, headers: Headers) -> bool | None:
        """Tell whether a request was made by a page of ours; None where the browser does not say."""
        source = _header(headers, b"origin") or _header(headers, b"referer")
        if source is None:
            return None
        try:
            origin = urlsplit(source)
        except ValueError:
            return False
        host = _host(origin.netloc, origin.scheme)
        return bool(host) and host in (
            _host(_header(headers, b"host") or "", origin.scheme),
            _host(self._public_host, origin.scheme),
        )


middleware = [Middleware(layer) for layer in (Forwarded, SecurityHeaders, BodyLimit, Authentication)]


async def _count(scope: Scope, account: Account) -> None:
    limit = LIMITED.get((scope["method"], scope["path"])) or (None if scope["method"] in SAFE else WRITE)
    if limit is not None:
        await limiter.take(ADMIN if account.role == "admin" else limit, account.id)


def _session_cookie(header: bytes) -> str | None:
    for pair in header.split(b";"):
        name, _, value = pair.strip().partition(b"=")
        if name == COOKIE.encode() and value:
            return value.decode(errors="surrogateescape")
    return None


def _header(headers: Headers, wanted: bytes) -> str | None:
    """Return a header's last value, which the nearest hop wrote."""
    return next((value.decode("latin-1") for name, value in reversed(headers) if name == wanted), None)


def _host(netloc: str, scheme: str) -> str:
    return netloc.lower().removesuffix(":443" if scheme == "https" else ":80")
