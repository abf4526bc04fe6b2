"""Verbs of exports."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import load_only

from service.database import reading
from service.resources.tables import Resource, visible
from service.security.accounts import Account

PAGE = 500
FIELDS = (
    "id", "title", "url", "authors", "description", "type", "language", "subjects", "tags", "published_at", "site",
    "status", "word_count", "private", "created_at", "updated_at",
)  # fmt: skip


async def exported(account: Account) -> AsyncIterator[Sequence[Resource]]:
    """Yield what the account may see, without its text, in pages by id; a session is open only while one is read."""
    last = UUID(int=0)
    shown = [getattr(Resource, name) for name in FIELDS]
    while True:
        query = select(Resource).where(visible(account), Resource.id > last).order_by(Resource.id).limit(PAGE)
        async with reading() as session:
            rows = (await session.scalars(query.options(load_only(*shown, raiseload=True)))).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id
