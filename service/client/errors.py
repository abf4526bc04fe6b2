"""What can go wrong, each with what was asked for.

PharosError
├── Unreachable           no answer: refused, broken off, too late
├── NotPharos             an answer, but not one of Pharos
└── Refused               a problem document (RFC 9457): `status`, `detail`, `errors`, `retry_after`
    ├── Unauthorized      401: no token, or one that is void
    ├── Forbidden         403: known, but not allowed
    ├── NotFound          404: there is no such thing, or it is not yours
    ├── Conflict          409
    ├── Gone              410
    ├── Changed           412: somebody else changed it since (`If-Match`)
    ├── TooLarge          413
    ├── Invalid           422: `errors` says which field, and why
    ├── RateLimited       429
    └── Unavailable       503
"""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx


class PharosError(Exception):
    """A call failed; `operation` is its method and path."""

    def __init__(self, words: str, operation: str) -> None:
        super().__init__(words)
        self.operation = operation


class Unreachable(PharosError):
    """The server gave no answer."""


class NotPharos(PharosError):
    """The answer is not one of Pharos: something else listens there, or stands between."""


class Refused(PharosError):
    """The server refused; `retry_after` is in seconds."""

    def __init__(self, answer: httpx.Response, problem: Mapping[str, Any]) -> None:
        self.status = answer.status_code
        self.type = str(problem.get("type", "about:blank"))
        self.title = str(problem.get("title", answer.reason_phrase))
        self.detail = str(problem.get("detail") or f"The server answers {self.status} {answer.reason_phrase}.")
        self.errors: Sequence[Mapping[str, Any]] = problem.get("errors") or ()
        self.retry_after = seconds(answer.headers.get("retry-after"))
        self.correlation_id: str | None = answer.headers.get("x-correlation-id")
        super().__init__(self.detail, operation(answer.request))


class Unauthorized(Refused):
    """There is no token, or it is void."""


class Forbidden(Refused):
    """The account may not do this."""


class NotFound(Refused):
    """There is no such thing, or it is not yours."""


class Conflict(Refused):
    """It does not go together with what is there."""


class Gone(Refused):
    """It was there."""


class Changed(Refused):
    """Somebody else changed it since it was read."""


class TooLarge(Refused):
    """It is larger than what is taken."""


class Invalid(Refused):
    """The request has a mistake; `errors` says where."""


class RateLimited(Refused):
    """Too many requests; `retry_after` says when to come back."""


class Unavailable(Refused):
    """Something that the server needs is away."""


_BY_STATUS: Mapping[int, type[Refused]] = {
    401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 410: Gone, 412: Changed, 413: TooLarge,
    422: Invalid, 429: RateLimited, 503: Unavailable,
}  # fmt: skip


def refused(answer: httpx.Response) -> Refused:
    """Return what a refusal says; its body has been read."""
    try:
        problem: Any = answer.json()
    except ValueError:
        problem = {}
    return _BY_STATUS.get(answer.status_code, Refused)(answer, problem if isinstance(problem, dict) else {})


def operation(request: httpx.Request) -> str:
    """Return the method and the path of a request, for messages."""
    return f"{request.method} {request.url.path}"


def seconds(header: str | None) -> float | None:
    """Return a `Retry-After` in seconds; Pharos gives no dates."""
    return float(header) if header and header.isascii() and header.isdigit() else None
