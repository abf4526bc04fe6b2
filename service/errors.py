"""Every error that Pharos raises on purpose, as a tree:

    PharosError 500
    ├── Invalid 422            the request or the input is wrong
    ├── NotFound 404           unknown, or not yours
    ├── Conflict 409           contradicts what is there
    │   └── PreconditionFailed 412
    ├── Unauthenticated 401    no account
    ├── Forbidden 403          an account, but not allowed
    ├── TooLarge 413
    ├── UnsupportedType 415
    ├── RateLimited 429        with Retry-After
    └── Unavailable 503        something we need is away; tasks try again

Slices subclass these next to their use. The docstring is the message; `{fields}` are filled from the keywords.
"""

from http import HTTPStatus
from inspect import cleandoc
from typing import Any, ClassVar


class PharosError(Exception):
    """Something went wrong."""

    status: ClassVar[int] = 500
    transient: ClassVar[bool] = False  # a task that raises it is retried; otherwise it goes to the dead letters at once

    def __init__(self, detail: str | None = None, **context: Any) -> None:
        self.context = context
        template = detail if detail is not None else cleandoc(type(self).__doc__ or type(self).__name__)
        self.detail = template.strip().format_map(context) if context and detail is None else template.strip()
        super().__init__(self.detail)

    @property
    def title(self) -> str:
        return HTTPStatus(self.status).phrase

    @property
    def headers(self) -> dict[str, str]:
        """Headers that the HTTP answer to this error carries."""
        return {}


class Invalid(PharosError):
    """The request is not valid."""

    status = 422

    def __init__(
        self, detail: str | None = None, *, errors: list[dict[str, Any]] | None = None, **context: Any
    ) -> None:
        super().__init__(detail, **context)
        self.errors = errors or []


class NotFound(PharosError):
    """There is no {what} {id} that you may see."""

    status = 404


class Conflict(PharosError):
    """The request contradicts the present state."""

    status = 409


class PreconditionFailed(Conflict):
    """The item has changed since version {expected}: it is at version {actual} now. Read it again, then repeat."""

    status = 412

    @property
    def headers(self) -> dict[str, str]:
        """The version to read before the next try."""
        return {"ETag": f'"{self.context["actual"]}"'}


def unchanged_since(seen: int | None, actual: int) -> None:
    """Raise PreconditionFailed where a locked row is at another version than its reader saw; None saw any."""
    if seen is not None and seen != actual:
        raise PreconditionFailed(expected=seen, actual=actual)


class Unauthenticated(PharosError):
    """Sign in first: send `Authorization: Bearer <token>` or the session cookie."""

    status = 401

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": 'Bearer realm="pharos"'}


class Forbidden(PharosError):
    """Your account may not do this."""

    status = 403


class TooLarge(PharosError):
    """The request body is larger than {limit} bytes."""

    status = 413


class TooSlow(PharosError):
    """The request's body came too slowly: {received} bytes in {seconds} s. {least} bytes a second must come."""

    status = 408

    @property
    def headers(self) -> dict[str, str]:
        """Hang up: what still comes would be read, to be thrown away."""
        return {"Connection": "close"}


class UnsupportedType(PharosError):
    """This type of content cannot be read."""

    status = 415


class RateLimited(PharosError):
    """Too many requests: try again in {retry_after} s."""

    status = 429

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.context.get("retry_after", 1))}


class Unavailable(PharosError):
    """Something that is needed for this is away."""

    status = 503
    transient = True

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.context.get("retry_after", 1))}
