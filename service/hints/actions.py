"""Verbs of hints: put one away, show all again."""

from typing import Final, Literal, get_args

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from service.database import ReadSession, Session
from service.errors import NotFound
from service.hints.tables import DismissedHint
from service.security.accounts import Account

Hint = Literal[
    "library", "search", "reading", "documents", "collections", "categories", "authors", "graph", "quizzes", "reviews",
    "notifications", "import", "feeds", "operations",
]  # fmt: skip
HINTS: Final[tuple[Hint, ...]] = get_args(Hint)


async def dismissed(session: ReadSession, account: Account) -> list[str]:
    """Return the hints that an account has put away."""
    mine = select(DismissedHint.name).where(DismissedHint.user_id == account.id)
    return list(await session.scalars(mine.order_by(DismissedHint.name)))


async def is_shown(session: ReadSession, account: Account, name: Hint) -> bool:
    """Tell whether an account has not put a hint away yet."""
    return await session.get(DismissedHint, (account.id, name)) is None


async def dismiss(session: Session, account: Account, name: str) -> None:
    """Put a hint away; NotFound where there is none of that name."""
    if name not in HINTS:
        raise NotFound(what="hint", id=name)
    await session.execute(insert(DismissedHint).values(user_id=account.id, name=name).on_conflict_do_nothing())


async def show_again(session: Session, account: Account) -> None:
    """Show all hints again."""
    await session.execute(delete(DismissedHint).where(DismissedHint.user_id == account.id))
