"""The HTTP edge: routes with a declared scope and shapes, parsing, answers, problem+json, OpenAPI."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import orjson
import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from service import idempotency
from service.errors import Invalid, NotFound, PharosError, TooLarge, Unavailable
from service.security.accounts import Account
from service.security.permissions import Public, require
from service.security.permissions import Scope as AccountScope

log = structlog.get_logger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
ShapeT = TypeVar("ShapeT", bound=BaseModel)
ItemT = TypeVar("ItemT")

JSON_LIMIT = 32 * 2**20  # bytes; a text of ten megabytes and its HTML pass
STRANGER_LIMIT = 64 * 2**10  # bytes, of whoever has not signed in
IN_FLIGHT = 64 * 2**20  # bytes of bodies that are read at one time; one of the largest, and many ordinary ones

FAULTS = 50  # that an answer lists: a body can have a hundred thousand


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of range") from None


Moment = Annotated[datetime, AfterValidator(_in_utc)]  # a time without a zone is taken as UTC


class Shape(BaseModel):
    """The base of what comes in: unknown fields are refused, so that a misspelt one is not silently lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paged(Shape):
    """What every list takes."""

    limit: int = Field(25, ge=1, le=100)
    offset: int = Field(0, ge=0, le=1_000_000)


class Listed(BaseModel, Generic[ItemT]):
    """One page of a list, and how many items there are in all."""

    total: int
    items: list[ItemT]
    limit: int
    offset: int


class TaskStarted(BaseModel):
    """The task that does it; `GET /tasks/{id}` tells how far it is."""

    task_id: UUID


# A file within a form, for the description of it.
File = Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})]

NEWEST = 2**31 - 1  # no version is beyond it


class TooBusy(Unavailable):
    """Many large requests arrive at this moment. Try again in a moment."""


_in_flight = 0  # bytes


class Endpoint:
    """One HTTP operation as an ASGI application: checks the scope, calls the handler, renders its errors."""

    def __init__(
        self,
        handler: Handler,
        scope: AccountScope | Public,
        takes: Any,
        queries: Any,
        gives: Any,
        status: int,
        summary: str,
        also: tuple[int, ...] = (),
        form: Any = None,
    ) -> None:
        self.handler, self.takes, self.queries = handler, takes, queries
        self.scope: AccountScope | Public = scope
        self.form = form
        self.gives, self.status, self.summary, self.also = gives, status, summary, also
        self.path = ""  # as declared, with its parameters by name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            require(scope.get("account"), self.scope)
            response = await self._answer(request)
        except PharosError as error:
            response = problem(error)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if key is None or (who := request.scope.get("account")) is None:
            return await self.handler(request)
        if (known := await idempotency.begin(request, who.id, key)) is not None:
            return known
        try:
            response = await self.handler(request)
        except PharosError as error:
            response = problem(error)
        except BaseException:
            await idempotency.finish(who.id, key, None)
            raise
        await idempotency.finish(who.id, key, response)
        return response


def route(
    method: str,
    path: str,
    handler: Handler,
    *,
    scope: AccountScope | Public,
    takes: Any = None,
    queries: Any = None,
    gives: Any = None,
    status: int = 200,
    summary: str = "",
    also: tuple[int, ...] = (),
    form: Any = None,
) -> Route:
    """Declare one operation: who may call it (`scope`), the shape of its body, its query, its answer, its status.

    `form` is the shape of a body of multipart/form-data; `also` are statuses of problems beyond those that the rest of
    the declaration tells (`service.openapi`).
    """
    operation = Endpoint(
        handler, scope, takes, queries, gives, status, summary or (handler.__doc__ or "").split("\n")[0], also, form
    )
    operation.path = path
    return Route(path, operation, methods=[method], name=handler.__name__)


def account(request: Request) -> Account:
    """Return who asks; the route's scope has made sure that there is somebody."""
    return request.scope["account"]


async def body(request: Request, limit: int = JSON_LIMIT) -> bytes:
    """Read the whole body; TooLarge beyond `limit` bytes, TooBusy where others take the memory."""
    global _in_flight
    if request.scope.get("account") is None:
        limit = min(limit, STRANGER_LIMIT)
    if int(request.headers.get("content-length") or 0) > limit:
        raise TooLarge(limit=limit)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            _in_flight += len(part)
            if size > limit:
                raise TooLarge(limit=limit)
            if _in_flight > IN_FLIGHT:
                raise TooBusy
            parts.append(part)
        return b"".join(parts)
    finally:
        _in_flight -= size


async def parse(request: Request, shape: type[ShapeT]) -> ShapeT:
    """Read a JSON body into its shape; Invalid names each wrong field."""
    raw = await body(request)
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The body is not valid JSON: {error}.") from None
    if b"\\u0000" in raw and _has_null(data):
        raise Invalid("The body holds a null character (\\u0000), which text cannot contain.")
    return validated(shape, data)


def bodiless(request: Request) -> bool:
    """Tell whether a request has no body at all: where everything in it is optional, it may be left out."""
    return request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers


def _has_null(data: Any) -> bool:
    waiting = [data]
    while waiting:
        match waiting.pop():
            case str() as value if "\x00" in value:
                return True
            case dict() as value:
                waiting += [*value.keys(), *value.values()]
            case list() as value:
                waiting += value
            case _:
                pass
    return False


def query(request: Request, shape: type[ShapeT]) -> ShapeT:
    """Read the query string into its shape; a repeated parameter becomes a list where the shape wants one."""
    return validated(shape, _plain(request.query_params))


def _plain(params: QueryParams) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key in params:
        values = params.getlist(key)
        if any("\x00" in value for value in (key, *values)):
            raise Invalid("The query holds a null character.")
        plain[key] = values[0] if len(values) == 1 else values
    return plain


def validated(shape: type[ShapeT], data: Any) -> ShapeT:
    """Check data against a shape; Invalid lists `{loc, msg}` of the first `FAULTS` faults."""
    if isinstance(data, dict) and len(data) > len(shape.model_fields) + FAULTS:
        raise Invalid(f"The request has {len(data):,} fields; it takes {len(shape.model_fields)}.")
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        faults = [
            {"loc": [part[:100] if isinstance(part, str) else part for part in fault["loc"]], "msg": fault["msg"]}
            for fault in error.errors(include_url=False, include_context=False, include_input=False)[:FAULTS]
        ]
        where = ", ".join(".".join(map(str, fault["loc"])) or "body" for fault in faults[:3])
        raise Invalid(f"The request is not valid: see {where}.", errors=faults) from None


def path_id(request: Request, name: str = "id", what: str = "item") -> UUID:
    """Return an id of the path; what is no UUID names nothing: NotFound."""
    with suppress(ValueError):
        return UUID(request.path_params[name])
    raise NotFound(what=what, id=request.path_params[name])


def if_match(request: Request) -> int | None:
    """Return the version that the client saw; `*` and no header accept any."""
    value = request.headers.get("if-match")
    if value is None or value.strip() == "*":
        return None
    tag = value.strip().removeprefix("W/").strip('"')
    if not (tag.isascii() and tag.isdigit() and len(tag) < 20):
        raise Invalid('`If-Match` takes the version as it stood in the ETag, for example "3".')
    return min(int(tag), NEWEST)


def etag(version: int) -> dict[str, str]:
    """Return the header that names a version."""
    return {"ETag": f'"{version}"'}


def _default(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_none=True)
    if isinstance(value, UUID):  # asyncpg's are of a subclass
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)  # pyright: ignore[reportUnknownArgumentType]
    if hasattr(value, "_mapping"):
        return dict(value._mapping)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def encoded(data: Any) -> bytes:
    """Return the JSON of models (None fields left out), dataclasses, rows, dicts, UUIDs, times."""
    return orjson.dumps(data, default=_default, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def respond(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON, as `encoded` writes it; bytes are JSON already."""
    content = data if isinstance(data, bytes) else encoded(data)
    return Response(content, status, headers, "application/json")


def no_content() -> Response:
    """Answer 204."""
    return Response(status_code=204)


def page(items: Sequence[Any], total: int, paged: Paged) -> Response:
    """Answer with one page of a list."""
    return respond({"total": total, "items": items, "limit": paged.limit, "offset": paged.offset})


def problem(error: PharosError, status: int | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """Render an error as problem+json (RFC 9457); `status` and `headers` replace the error's own."""
    kind = "".join(f"-{c.lower()}" if c.isupper() else c for c in type(error).__name__).lstrip("-")
    document: dict[str, Any] = {
        "type": f"urn:pharos:{kind}",
        "title": HTTPStatus(status or error.status).phrase,
        "status": status or error.status,
        "detail": error.detail,
    }
    if isinstance(error, Invalid) and error.errors:
        document["errors"] = error.errors
    return Response(
        orjson.dumps(document), status or error.status, headers or error.headers, "application/problem+json"
    )
