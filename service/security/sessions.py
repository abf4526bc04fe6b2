"""Signing in and out: a session's secret is the page's cookie, and the token that a login answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

import structlog
from sqlalchemy import delete, func, select, update
from starlette.requests import HTTPConnection
from starlette.responses import Response

from service.database import ReadSession, Session, reading, transaction
from service.errors import Forbidden, NotFound, Unauthenticated
from service.security import audit
from service.security.accounts import Account, end_sessions, find_user
from service.security.credentials import Credential, new_secret
from service.security.limits import LOGIN_BY_ADDRESS, LOGIN_BY_NAME, limiter, network
from service.security.passwords import hash_password, outdated, verify_password
from service.security.tables import LoginSession, User
from service.settings import settings

log = structlog.get_logger(__name__)

COOKIE = "pharos_session"
LASTS = timedelta(days=30)


class WrongPassword(Unauthenticated):
    """The username or the password is wrong."""


class PasswordByToken(Forbidden):
    """Sign in to set your password: a token may do so only with the scope `admin`."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where somebody comes from who is not known yet."""

    address: str | None = None
    agent: str | None = None  # at most 300 characters of what the browser calls itself

    @classmethod
    def of(cls, connection: HTTPConnection) -> Self:
        """Return who opened this connection."""
        agent = connection.headers.get("user-agent", "").replace("\x00", "")[:300]
        return cls(connection.client.host if connection.client else None, agent or None)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session; its secret is shown this once."""

    secret: str
    expires_at: datetime


async def sign_in(username: str, password: str, visitor: Visitor) -> SignedIn:
    """Open a session for whoever knows the password; WrongPassword, or RateLimited by name and by network.

    Nothing in the answer or its time tells an unknown or disabled user from a wrong password.
    """
    by_name, address = (LOGIN_BY_NAME, username.lower()), visitor.address
    await limiter.attempt(by_name, (LOGIN_BY_ADDRESS, network(address)))
    async with reading() as session:
        user = await find_user(session, username)
    stored = user.password_hash if user is not None and user.disabled_at is None else None
    right = await verify_password(password, stored)
    if user is None or stored is None or not right:
        # no unknown name: people type their password there by mistake
        log.warning("sign-in refused", user_id=str(user.id) if user else None, address=address)
        async with transaction() as session:
            await audit.record(session, "sign_in_refused", None, user.id if user else None, address)
        raise WrongPassword
    renewed = await hash_password(password) if outdated(stored) else stored
    async with transaction() as session:
        user = await session.get(User, user.id, with_for_update=True)
        if user is None or user.disabled_at is not None or user.password_hash != stored:  # changed a moment ago
            raise WrongPassword
        user.password_hash = renewed
        signed_in = await open_session(session, user.id, visitor)
        await audit.record(session, "signed_in", user.id, user.id, address, way="password")
    await limiter.forget(by_name)
    log.info("signed in", user_id=str(user.id), address=address)
    return signed_in


async def open_session(session: Session, user_id: UUID, visitor: Visitor) -> SignedIn:
    """Add a session of `LASTS`; the user's expired ones go."""
    await session.execute(
        delete(LoginSession).where(LoginSession.user_id == user_id, LoginSession.expires_at < func.now())
    )
    secret, expires_at = new_secret(), datetime.now(UTC) + LASTS
    credential = Credential.of(secret)
    session.add(
        LoginSession(
            user_id=user_id,
            key=credential.key,
            digest=credential.digest,
            expires_at=expires_at,
            address=visitor.address,
            agent=visitor.agent,
        )
    )
    return SignedIn(secret, expires_at)


async def change_password(account: Account, password: str, current: str | None, address: str | None) -> None:
    """Set the account's own password and end its other sessions.

    Raises WrongPassword where one is set and `current` is another; PasswordByToken for a token without `admin`.
    """
    if not account.signed_in and "admin" not in account.scopes:
        raise PasswordByToken
    async with reading() as session:
        stored = await session.scalar(select(User.password_hash).where(User.id == account.id))
    if stored is not None:
        await limiter.attempt((LOGIN_BY_NAME, account.username.lower()))
        if not await verify_password(current or "", stored):
            raise WrongPassword("The current password is wrong.")
    new = await hash_password(password)
    unchanged = User.password_hash.is_not_distinct_from(stored)
    async with transaction() as session:
        change = update(User).where(User.id == account.id, unchanged).values(password_hash=new).returning(User.id)
        if await session.scalar(change) is None:
            raise WrongPassword("The password was changed by someone else a moment ago.")
        await end_sessions(session, account.id, but=account.credential_id)
        await audit.record(session, "password_changed", account.id, account.id, address)


async def list_sessions(session: ReadSession, account: Account) -> Sequence[LoginSession]:
    """Return the account's sessions that are open, newest first."""
    mine = select(LoginSession).where(LoginSession.user_id == account.id, LoginSession.expires_at > func.now())
    return (await session.scalars(mine.order_by(LoginSession.created_at.desc(), LoginSession.id))).all()


async def sign_out(account: Account, address: str | None) -> None:
    """End the session that a request came with; a token's request has none to end."""
    if not account.signed_in or account.credential_id is None:
        return
    async with transaction() as session:
        await session.execute(delete(LoginSession).where(LoginSession.id == account.credential_id))
        await audit.record(session, "signed_out", account.id, account.id, address)


async def end_session(session: Session, account: Account, id: UUID) -> None:
    """End one of the account's sessions; NotFound where there is none of that id."""
    mine = delete(LoginSession).where(LoginSession.id == id, LoginSession.user_id == account.id)
    if await session.scalar(mine.returning(LoginSession.id)) is None:
        raise NotFound(what="session", id=id)


def set_cookie(response: Response, connection: HTTPConnection, signed_in: SignedIn) -> None:
    """Let the browser keep the session, out of reach of scripts, of other sites, of plain HTTP where there is TLS."""
    response.set_cookie(
        COOKIE,
        signed_in.secret,
        expires=signed_in.expires_at,
        httponly=True,
        samesite="lax",
        secure=is_secure(connection),
    )


def drop_cookie(response: Response, connection: HTTPConnection) -> None:
    """Let the browser forget the session."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=is_secure(connection))


def is_secure(connection: HTTPConnection) -> bool:
    """Tell whether people reach us by HTTPS, here or at the proxy before us."""
    return connection.url.scheme in ("https", "wss") or (settings().public_url or "").startswith("https://")
