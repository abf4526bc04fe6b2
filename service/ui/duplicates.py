"""The page of duplicates: side by side, with what differs, and merged by a form that needs no script."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.database import reading, transaction
from service.duplicates import actions
from service.duplicates.groups import Member, Shown, browse
from service.ui.pages import render
from service.ui.text import text
from service.ui.wording import day, kind, number
from service.web import Shape, account, body, query, validated

PATH = "/ui/duplicates"
PAGE = 10
FORM_LIMIT = 16 * 2**10  # bytes

FACTS: Sequence[tuple[str, Callable[[Member], Any]]] = (
    ("address.of", lambda one: one.resource.url),
    ("by", lambda one: ", ".join(one.resource.authors)),
    ("kind", lambda one: kind(one.resource)),
    ("description", lambda one: one.resource.description),
    ("words", lambda one: number(one.resource.word_count)),
    ("published", lambda one: one.resource.published_at and day(one.resource.published_at)),
    ("added", lambda one: day(one.resource.created_at)),
    ("tags", lambda one: ", ".join(one.resource.tags)),
    ("annotations", lambda one: one.annotations and number(one.annotations)),
    ("collections", lambda one: one.collections and number(one.collections)),
    ("file", lambda one: one.file),
    ("visible", lambda one: text(f"read.visible.{'private' if one.resource.private else 'shared'}")),
)


class Asked(Shape):
    """Which part of the list, or the group of one resource; and how many were merged before."""

    page: int = Field(1, ge=1, le=10_000)
    of: UUID | None = None
    merged: int = Field(0, ge=0)


class Wish(Shape):
    """The form: what is kept, and what is merged into it."""

    keep: list[UUID] = Field(min_length=1, max_length=1)
    id: list[UUID] = Field([], max_length=101)


@dataclass(frozen=True, slots=True)
class Compared:
    """A group, and of each of its members what is not the same for all."""

    group: Shown
    best: UUID
    facts: dict[UUID, list[tuple[str, str]]]


def compared(group: Shown) -> Compared:
    """Return what differs within a group; the best is what most was made of, the oldest of equals."""
    said = {name: [str(of(one) or text("twins.nothing")) for one in group.members] for name, of in FACTS}
    differing = {name: values for name, values in said.items() if len(set(values)) > 1}
    facts = {
        one.resource.id: [(name, values[at]) for name, values in differing.items()]
        for at, one in enumerate(group.members)
    }
    best = max(group.members, key=lambda one: one.annotations + one.collections + len(one.resource.tags))
    return Compared(group, best.resource.id, facts)


async def duplicates_page(request: Request) -> Response:
    """What is in the library more than once."""
    who, asked = account(request), query(request, Asked)
    async with reading() as session:
        total, found = await browse(session, who, PAGE, (asked.page - 1) * PAGE, asked.of)
    return render(
        request,
        "duplicates.html",
        groups=[compared(group) for group in found],
        total=total,
        page=asked.page,
        of=asked.of,
        more=total > asked.page * PAGE,
        merged=asked.merged,
    )


async def merge_duplicates(request: Request) -> Response:
    """Merge what is chosen into what is kept."""
    form = validated(Wish, parse_qs((await body(request, FORM_LIMIT)).decode(errors="replace")))
    keep = form.keep[0]
    others = [id for id in form.id if id != keep]
    if others:
        async with transaction() as session:
            await actions.merge(session, account(request), keep, others)
    return RedirectResponse(f"{PATH}?merged={len(others)}", 303)
