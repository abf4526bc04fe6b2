"""Accounts: who somebody is, and the users behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import IntegrityError

from service.database import ReadSession, Session
from service.errors import Conflict, NotFound
from service.security.permissions import Role, Scope
from service.security.tables import LoginLink, LoginSession, User

Username = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$")]

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7262012)")  # whatever decides who is an admin


class UsernameTaken(Conflict):
    """There is a user {username} already; upper and lower case do not make two."""


class LastAdmin(Conflict):
    """{username} is the only active admin: make another one first, or nobody could."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks, and what they may do with the credential that they showed."""

    id: UUID
    username: str
    role: Role
    scopes: frozenset[Scope]
    credential_id: UUID | None = None  # the row of the token or the session
    signed_in: bool = False  # a person's session, not a token
    expires_at: datetime | None = None  # of the credential


async def find_user(session: ReadSession, username: str) -> User | None:
    """Return the user of that name, however it is capitalised."""
    return await session.scalar(select(User).where(func.lower(User.username) == username.lower()))


async def list_users(session: ReadSession, limit: int, offset: int) -> tuple[int, Sequence[User]]:
    """Return how many users there are, and some of them, by name."""
    total = await session.scalar(select(func.count()).select_from(User))
    users = await session.scalars(select(User).order_by(func.lower(User.username)).limit(limit).offset(offset))
    return total or 0, users.all()


async def create_user(session: Session, username: str, role: Role, password_hash: str | None = None) -> User:
    """Add a user; UsernameTaken where there is one of that name."""
    user = User(username=username, role=role, password_hash=password_hash)
    try:
        async with session.begin_nested():
            session.add(user)
    except IntegrityError:
        raise UsernameTaken(username=username) from None
    await session.refresh(user)
    return user


async def change_user(
    session: Session,
    id: UUID,
    *,
    role: Role | None = None,
    disabled: bool | None = None,
    password_hash: str | None = None,
) -> User:
    """Change what is given; a user who is disabled, or gets a new password, is signed out everywhere.

    Raises NotFound, and LastAdmin where nobody could administer afterwards.
    """
    await session.execute(ONE_AT_A_TIME)  # or two admins could disable each other
    user = await session.get(User, id)
    if user is None:
        raise NotFound(what="user", id=id)
    administered = user.role == "admin" and user.disabled_at is None
    if role is not None:
        user.role = role
    if disabled is not None and disabled != (user.disabled_at is not None):
        user.disabled_at = func.now() if disabled else None
    if password_hash is not None:
        user.password_hash = password_hash
    if disabled or password_hash is not None:
        await end_sessions(session, id)
    await session.flush()
    await session.refresh(user)
    if administered and not await session.scalar(
        select(User.id).where(User.role == "admin", User.disabled_at.is_(None)).limit(1)
    ):
        raise LastAdmin(username=user.username)
    return user


async def end_sessions(session: Session, user_id: UUID, but: UUID | None = None) -> None:
    """Sign a user out everywhere (`but` from one session), and make their unused login links void."""
    sessions = delete(LoginSession).where(LoginSession.user_id == user_id, LoginSession.id.is_distinct_from(but))
    await session.execute(sessions)
    await session.execute(delete(LoginLink).where(LoginLink.user_id == user_id))
