"""Joining: by an invitation that an admin made, or freely where PHAROS_REGISTRATION is on."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import Field
from sqlalchemy import delete, func, select

from service.database import ReadSession, Session, transaction
from service.errors import Forbidden, NotFound
from service.security import audit
from service.security.accounts import Username, create_user
from service.security.credentials import Credential, new_secret
from service.security.limits import LOGIN_BY_ADDRESS, limiter, network
from service.security.passwords import Password, hash_password
from service.security.permissions import Role
from service.security.sessions import SignedIn, Visitor, open_session
from service.security.tables import Invitation, User
from service.settings import settings
from service.web import Shape

FREE: Role = "editor"  # what everybody may become where registration is on


class Registration(Shape):
    """A new account; with the code of an invitation, unless everybody may make one."""

    username: Username
    password: Password
    code: str | None = Field(None, max_length=200)


class RegistrationClosed(Forbidden):
    """Accounts are made by invitation here: ask an admin for one."""


class InvitationUsedUp(Forbidden):
    """This invitation was used already, withdrawn, or is too old. Ask for a new one."""


async def invite(session: Session, by: UUID, role: Role, days: int) -> tuple[Invitation, str]:
    """Add an invitation to become a user with `role`, good once and for `days`; return it with its code."""
    await session.execute(delete(Invitation).where(Invitation.expires_at < func.now()))
    code = new_secret()
    credential = Credential.of(code)
    expires_at = datetime.now(UTC) + timedelta(days=days)
    invitation = Invitation(user_id=by, key=credential.key, digest=credential.digest, role=role, expires_at=expires_at)
    session.add(invitation)
    await session.flush()
    await session.refresh(invitation)
    return invitation, code


async def list_invitations(session: ReadSession, limit: int, offset: int) -> tuple[int, Sequence[Invitation]]:
    """Return how many invitations are open, and some of them, newest first."""
    still_open = Invitation.expires_at > func.now()
    total = await session.scalar(select(func.count()).select_from(Invitation).where(still_open))
    newest_first = select(Invitation).where(still_open).order_by(Invitation.created_at.desc(), Invitation.id)
    return total or 0, (await session.scalars(newest_first.limit(limit).offset(offset))).all()


async def withdraw(session: Session, id: UUID) -> None:
    """Make an invitation void; NotFound where there is none."""
    if await session.scalar(delete(Invitation).where(Invitation.id == id).returning(Invitation.id)) is None:
        raise NotFound(what="invitation", id=id)


async def register(username: str, password: str, code: str | None, visitor: Visitor) -> SignedIn:
    """Add a user and sign them in.

    Raises RegistrationClosed, InvitationUsedUp, UsernameTaken (the invitation stays good then), or RateLimited by
    network. An invitation ends with its inviter's being an admin.
    """
    await limiter.attempt((LOGIN_BY_ADDRESS, network(visitor.address)))
    if code is None and not settings().registration:
        raise RegistrationClosed
    password_hash = await hash_password(password)
    async with transaction() as session:
        role = FREE if code is None else await _take(session, code)
        user = await create_user(session, username, role, password_hash)
        await audit.record(session, "registered", user.id, user.id, visitor.address, role=role)
        return await open_session(session, user.id, visitor)


async def _take(session: Session, code: str) -> Role:
    credential = Credential.of(code)
    inviters = select(User.id).where(User.role == "admin", User.disabled_at.is_(None))
    good = (
        Invitation.key == credential.key,
        Invitation.digest == credential.digest,
        Invitation.expires_at > func.now(),
        Invitation.user_id.in_(inviters),
    )
    role = await session.scalar(delete(Invitation).where(*good).returning(Invitation.role))
    if role is None:
        raise InvitationUsedUp
    return role
