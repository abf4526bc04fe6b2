"""The page of the trash; it needs no script."""

from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Literal
from urllib.parse import parse_qs, urlencode
from uuid import UUID

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.cursors import After
from service.database import reading, transaction
from service.errors import Invalid, NotFound
from service.resources import actions as resources
from service.security.accounts import Account
from service.settings import settings
from service.trash import actions
from service.trash.emptying import emptied
from service.ui.pages import render
from service.web import Shape, account, body, query, validated

PATH = "/ui/trash"
PAGE = 50
FORM_LIMIT = 16 * 2**10  # bytes


class Asked(Shape):
    """Which part of the trash, and what was done to it before."""

    after: After = None
    did: Literal["restored", "purged"] | None = None
    n: int = Field(0, ge=0)


class Wish(Shape):
    """The form: one item to be restored, or something to be done with all that are chosen."""

    restore: list[UUID] = Field([], max_length=1)
    do: list[Literal["restore", "purge", "empty"]] = Field([], max_length=1)
    id: list[UUID] = Field([], max_length=PAGE)


async def trash_page(request: Request) -> Response:
    """What was deleted, and can be restored."""
    who, asked = account(request), query(request, Asked)
    async with reading() as session:
        total, rows, beyond = await actions.browse(session, who, PAGE, asked.after)
    kept, now = timedelta(days=settings().trash_days), datetime.now(UTC)
    items = [(row, max(1, ceil((row.deleted_at + kept - now) / timedelta(days=1)))) for row in rows]
    return render(
        request,
        "trash.html",
        items=items,
        total=total,
        days=settings().trash_days,
        older=f"{PATH}?{urlencode({'after': str(beyond)})}" if beyond else None,
        is_first=asked.after is None,
        did=asked.did,
        n=asked.n,
    )


async def change_trash(request: Request) -> Response:
    """Restore what is chosen, or delete it for good."""
    who = account(request)
    form = validated(Wish, parse_qs((await body(request, FORM_LIMIT)).decode(errors="replace")))
    if not (form.do or form.restore):
        raise Invalid("The form says neither what to do nor what to restore.")
    what = form.do[0] if form.do and not form.restore else "restore"
    done = await emptied(who) if what == "empty" else await _each(who, what, form.restore or form.id)
    return RedirectResponse(f"{PATH}?did={'restored' if what == 'restore' else 'purged'}&n={done}", 303)


async def _each(who: Account, what: Literal["restore", "purge"], ids: list[UUID]) -> int:
    """Do it to each that is still there; return to how many."""
    done = 0
    for id in ids:
        try:
            async with transaction() as session:
                await (resources.restore if what == "restore" else actions.purge)(session, who, id)
        except NotFound:
            continue
        done += 1
    return done
