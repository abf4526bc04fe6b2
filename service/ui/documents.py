"""The page of documents: upload, watch, and put away what is studied."""

from typing import Any
from uuid import UUID

from pydantic import Field, field_validator
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading
from service.documents import actions, subjects
from service.documents.progress import MESSAGES, message_of, percent_of
from service.documents.shapes import Sort, Statuses
from service.live.hub import newest
from service.ui.pages import render
from service.web import Shape, account, query

PAGE = 25
STATUSES = ("uploaded", "processing", "processed", "indexed", "ready", "failed")
SORTS = ("-created_at", "filename", "-size", "subject")


class Asked(Shape):
    """Which of one's documents, in which order."""

    subject: str | None = Field(None, max_length=200)
    status: Statuses = None
    q: str | None = Field(None, max_length=200)
    sort: Sort = "-created_at"
    page: int = Field(1, ge=1, le=40_000)

    @field_validator("subject", "status", "q", mode="before")
    @classmethod
    def _said(cls, value: object) -> object:
        return value or None  # an empty field of the form


class Chosen(Shape):
    """Some documents, by the ids of their resources, which events name."""

    id: list[UUID] = Field([], max_length=100)

    @field_validator("id", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


async def documents_page(request: Request) -> Response:
    """One's documents: add some, see how far each is, by subject."""
    asked, who = query(request, Asked), account(request)
    position = await newest()  # before the list is read: what happens after it is told by the stream
    async with reading() as session:
        total, found = await actions.browse(
            session, who, limit=PAGE, offset=(asked.page - 1) * PAGE, sort=asked.sort, own=True,
            subject=asked.subject, status=asked.status, q=asked.q,
        )  # fmt: skip
        counted = await subjects.counts(session, who)
        _, drawers = await subjects.browse(session, who, subjects.MOST, 0)
        failures = await actions.failures(session, [known.resource.id for known in found])
    chosen = next((one for one in drawers if str(one.subject.id) == asked.subject), None)
    return render(
        request,
        "documents.html",
        rows=[_row(known, failures) for known in found],
        total=total,
        more=total > asked.page * PAGE,
        asked=asked,
        chosen=chosen,
        drawers=drawers,
        all=sum(count[0] for count in counted.values()),
        without=counted.get(None, (0, 0, 0))[0],
        hues={name: place for place, name in enumerate(subjects.COLOURS)},
        colours=subjects.COLOURS,
        statuses=STATUSES,
        sorts=SORTS,
        position=position,
    )


async def document_rows(request: Request) -> Response:
    """Some rows of the list as they are now."""
    asked, who = query(request, Chosen), account(request)
    async with reading() as session:
        _, found = await actions.browse(session, who, limit=100, offset=0, own=True, resource_ids=asked.id)
        failures = await actions.failures(session, asked.id)
    hues = {name: place for place, name in enumerate(subjects.COLOURS)}
    return render(request, "document_rows.html", rows=[_row(known, failures) for known in found], hues=hues)


def _row(known: actions.Known, failures: dict[UUID, str]) -> dict[str, Any]:
    document, resource = known.document, known.resource
    message = message_of(known.status, document, resource, failures.get(resource.id))
    return {
        "document": document,
        "resource": resource,
        "subject": known.subject,
        "status": known.status,
        "told": known.status != "ready" or message != MESSAGES["ready"],
        "percent": percent_of(known.status),
        "message": message,
    }
