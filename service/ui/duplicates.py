"""The page of duplicates: side by side, with what differs, and merged by a form that needs no script."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs
from uuid import UUID

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.database import reading, transaction
from service.duplicates import actions, separations
from service.duplicates.groups import Member, Shown, browse
from service.ui.pages import render
from service.ui.text import text
from service.ui.wording import day, kind, number
from service.web import Shape, account, body, path_id, query, validated

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
    """Which part of the list, or the group of one resource, or what was said to be no duplicates; and what was done."""

    page: int = Field(1, ge=1, le=10_000)
    of: UUID | None = None
    show: Literal["alike", "apart"] = "alike"
    merged: int = Field(0, ge=0)
    apart: UUID | None = None


class Wish(Shape):
    """The form: what is kept, and what is merged into it."""

    keep: list[UUID] = Field(min_length=1, max_length=1)
    id: list[UUID] = Field([], max_length=101)
    member: list[UUID] = Field([])


class Apart(Shape):
    """The same form: all that is in the group; what else it says is for merging."""

    model_config = ConfigDict(extra="ignore")

    member: list[UUID] = Field(min_length=2, max_length=100)


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
    start = (asked.page - 1) * PAGE
    found, said = list[Shown](), list[separations.Separation]()
    async with reading() as session:
        if asked.show == "apart":
            total, said = await separations.listed(session, who, PAGE, start)
        else:
            total, found = await browse(session, who, PAGE, start, asked.of)
    return render(
        request,
        "duplicates.html",
        show=asked.show,
        groups=[compared(group) for group in found],
        separations=said,
        page=asked.page,
        of=asked.of,
        more=total > asked.page * PAGE,
        merged=asked.merged,
        apart=asked.apart,
    )


async def _form(request: Request) -> dict[str, list[str]]:
    return parse_qs((await body(request, FORM_LIMIT)).decode(errors="replace"))


async def separate_duplicates(request: Request) -> Response:
    """Write down that those of a group are no duplicates."""
    form = validated(Apart, await _form(request))
    async with transaction() as session:
        id = await actions.separate(session, account(request), form.member)
    return RedirectResponse(f"{PATH}?apart={id}", 303)


async def rejoin_duplicates(request: Request) -> Response:
    """Undo it."""
    async with transaction() as session:
        await actions.rejoin(session, account(request), path_id(request, what="separation"))
    return RedirectResponse(PATH, 303)


async def merge_duplicates(request: Request) -> Response:
    """Merge what is chosen into what is kept."""
    form = validated(Wish, await _form(request))
    keep = form.keep[0]
    others = [id for id in form.id if id != keep]
    if others:
        async with transaction() as session:
            await actions.merge(session, account(request), keep, others)
    return RedirectResponse(f"{PATH}?merged={len(others)}", 303)
