"""The statement behind a PUT: in one round trip it locks a resource, sets what differs, and tells what did."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Integer, bindparam, case, func, literal_column, null, or_, select, update

from service.database import Statement
from service.resources.tables import Resource, visible_to

_TABLE = Resource.__table__
_DIFFERS = "differs: "


@cache
def changing(given: frozenset[str]) -> Statement:
    """Return the statement that sets these fields of a resource, where at least one differs from what it holds.

    Its parameters are the fields, `resource_id`, `account_id`, `seen` (the version that the client saw, or None), and
    with `content` its `content_hash` and `word_count`. It returns the row as it is now without the text, `was_private`,
    and what `differing` reads; no row where nothing differs, or where there is no such resource for this account.
    """
    seen = bindparam("seen", type_=Integer)
    before = (
        select(_TABLE)
        .where(
            _TABLE.c.id == bindparam("resource_id"),
            visible_to(bindparam("account_id")),
            or_(seen.is_(None), _TABLE.c.version == seen),
        )
        .with_for_update(key_share=True)  # whoever derives something from it need not wait
        .cte("before")
    )
    differs = {name: before.c[name].is_distinct_from(bindparam(name)) for name in sorted(given)}
    values: dict[str, Any] = {name: bindparam(name) for name in given}
    values |= {"version": before.c.version + literal_column("1"), "updated_at": func.now()}
    if "content" in given:
        shown = case((differs["content"], null()), else_=before.c.content_html)  # it showed the old text
        values |= {
            "content_hash": bindparam("content_hash"),
            "word_count": bindparam("word_count"),
            "content_html": shown,
        }
    texts = {"content_html", "content"} if "content" in given else {"content_html"}
    return Statement(
        update(Resource)
        .where(_TABLE.c.id == before.c.id, or_(*differs.values()))
        .values(values)
        .returning(
            *(column for column in _TABLE.c if column.name not in texts),
            before.c.private.label("was_private"),
            *(differs[name].label(_DIFFERS + name) for name in differs),
        )
    )


def differing(row: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields that were changed."""
    return [name.removeprefix(_DIFFERS) for name, differs in row.items() if name.startswith(_DIFFERS) and differs]
