"""From bytes to a readable document: `extract` reads one in a child process with limits.

Nothing here imports a parser; those live in the child (`reading.py`), so that a worker stays small.
"""

import signal
from datetime import datetime
from typing import Any

import orjson

from service.ingestion import unreadable
from service.ingestion.extracted import Citation, Extracted, Source
from service.ingestion.sandbox import NoVerdict, sandbox
from service.ingestion.unreadable import (
    ExtractionError,
    OutOfMemory,
    ParserAway,
    ParserCrashed,
    TookTooLong,
    amount,
)
from service.ingestion.verdicts import OUT_OF_MEMORY, Verdict
from service.settings import settings

__all__ = ["Citation", "Extracted", "extract"]


async def extract(
    body: bytes,
    *,
    filename: str | None = None,
    url: str | None = None,
    declared_type: str | None = None,
    captured: bool = False,
) -> Extracted:
    """Read a document of any supported type (raises ExtractionError).

    The type is decided by the content; `declared_type` (a Content-Type) only lends its charset. `captured` says that a
    person's own browser saw the page, so that a short page is not taken for a login wall or an error page.
    """
    source = Source(filename, url, declared_type, captured)
    try:
        answer = await sandbox().run(orjson.dumps(source), body)
    except NoVerdict as error:
        raise ParserAway(kind="document") from error
    kind, _, outcome = bytes(answer.output).partition(b"\n")
    if not answer.verdict.success:
        raise _failure(kind.decode() or "document", answer.verdict)
    found: dict[str, Any] = orjson.loads(outcome)
    if "error" in found:
        refusal: type[ExtractionError] = getattr(unreadable, found["error"])
        raise refusal(found["detail"])
    published_at = found.pop("published_at")
    citations = [Citation(**citation) for citation in found.pop("citations")]
    return Extracted(
        **found, published_at=datetime.fromisoformat(published_at) if published_at else None, citations=citations
    )


def _failure(kind: str, verdict: Verdict) -> ExtractionError:
    """Explain the end of a parser that could not explain it itself."""
    if verdict.expired:
        return TookTooLong(kind=kind, seconds=settings().parser_seconds)
    half = settings().parser_memory_mb << 19  # libraries that abort when they get no more are well above it
    if verdict.exit_code == OUT_OF_MEMORY or verdict.memory > half:
        return OutOfMemory(kind=kind, limit=amount(settings().parser_memory_mb << 20))
    if verdict.signal == signal.SIGKILL:
        return ParserAway(kind=kind)
    return ParserCrashed(kind=kind, signal=verdict.signal_name)
