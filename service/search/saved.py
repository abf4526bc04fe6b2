"""Searches that people keep, to run them again."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from service.database import ReadSession, Session
from service.errors import Conflict, NotFound
from service.search.tables import SavedSearch
from service.security.accounts import Account

MOST = 200  # of one account


class NameTaken(Conflict):
    """You have a saved search named {name} already: choose another name, or change that one."""


class TooMany(Conflict):
    """You have {most} saved searches, which is as many as are kept: delete one first."""


async def listed(session: ReadSession, account: Account) -> list[SavedSearch]:
    """Return the account's searches by name."""
    chosen = select(SavedSearch).where(SavedSearch.owner_id == account.id).order_by(SavedSearch.name)
    return list(await session.scalars(chosen))


async def read(session: ReadSession, account: Account, id: UUID) -> SavedSearch:
    """Return one of the account's searches; raises NotFound."""
    chosen = select(SavedSearch).where(SavedSearch.id == id, SavedSearch.owner_id == account.id)
    found = await session.scalar(chosen)
    if found is None:
        raise NotFound(what="saved search", id=id)
    return found


async def save(session: Session, account: Account, name: str, search: dict[str, Any]) -> SavedSearch:
    """Keep a search under a name; raises NameTaken or TooMany."""
    number = await session.scalar(select(func.count()).where(SavedSearch.owner_id == account.id))
    if (number or 0) >= MOST:
        raise TooMany(most=MOST)
    saved = SavedSearch(id=uuid4(), owner_id=account.id, name=name, search=search)
    session.add(saved)
    await _flush(session, name)
    await session.refresh(saved)
    return saved


async def change(session: Session, account: Account, id: UUID, name: str, search: dict[str, Any]) -> SavedSearch:
    """Replace a search; raises NotFound or NameTaken."""
    saved = await session.get(SavedSearch, id, with_for_update=True)
    if saved is None or saved.owner_id != account.id:
        raise NotFound(what="saved search", id=id)
    saved.name, saved.search = name, search
    await _flush(session, name)
    return saved


async def forget(session: Session, account: Account, id: UUID) -> None:
    """Delete a search; raises NotFound."""
    await session.delete(await read(session, account, id))


async def used(session: Session, id: UUID) -> None:
    """Note that it was run."""
    await session.execute(update(SavedSearch).where(SavedSearch.id == id).values(last_used_at=func.now()))


async def _flush(session: Session, name: str) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        raise NameTaken(name=name) from error
