"""API tokens: made for a program, narrowed to scopes and a time, revoked at will."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select, update

from service.database import ReadSession, Session
from service.errors import Forbidden, NotFound
from service.security.accounts import Account
from service.security.credentials import Credential, new_secret
from service.security.permissions import Scope
from service.security.tables import Token


class NoTokensByToken(Forbidden):
    """Sign in to make tokens; a token may do so only with the scope `admin`, or a stolen one could outlive itself."""


class ScopeTooWide(Forbidden):
    """You may not give a token what you do not have yourself: {scopes}."""


async def create_token(
    session: Session, account: Account, name: str, scopes: Sequence[Scope], expires_at: datetime | None
) -> tuple[Token, str]:
    """Add a token of the account and return it with its secret; it may do no more than what makes it.

    A token may make another only with the scope `admin`, and none that outlives it.
    """
    if not account.signed_in:
        if "admin" not in account.scopes:
            raise NoTokensByToken
        expires_at = min(filter(None, (expires_at, account.expires_at)), default=None)
    if excess := set(scopes) - account.scopes:
        raise ScopeTooWide(scopes=", ".join(sorted(excess)))
    secret = new_secret()
    credential = Credential.of(secret)
    token = Token(
        user_id=account.id,
        key=credential.key,
        digest=credential.digest,
        name=name,
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    session.add(token)
    await session.flush()
    await session.refresh(token)
    return token, secret


async def list_tokens(session: ReadSession, account: Account, limit: int, offset: int) -> tuple[int, Sequence[Token]]:
    """Return how many of the account's tokens work, and some of them, newest first."""
    working = (
        Token.user_id == account.id,
        Token.revoked_at.is_(None),
        or_(Token.expires_at.is_(None), Token.expires_at > func.now()),
    )
    total = await session.scalar(select(func.count()).where(*working))
    newest_first = select(Token).where(*working).order_by(Token.created_at.desc(), Token.id).limit(limit).offset(offset)
    return total or 0, (await session.scalars(newest_first)).all()


async def revoke_token(session: Session, account: Account, id: UUID) -> None:
    """Make one of the account's tokens void; NotFound where there is none that works."""
    mine = update(Token).where(Token.id == id, Token.user_id == account.id, Token.revoked_at.is_(None))
    if await session.scalar(mine.values(revoked_at=func.now()).returning(Token.id)) is None:
        raise NotFound(what="token", id=id)
