"""One-time sign-in without a password: `make up` prints a link, the page behind it has a button, the button POSTs.

Opening the link changes nothing: mail scanners and previews do that as well.
"""

from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import delete, func, select

from service.database import transaction
from service.errors import NotFound, Unauthenticated
from service.security import audit
from service.security.accounts import find_user
from service.security.credentials import Credential, new_secret
from service.security.limits import LOGIN_BY_ADDRESS, limiter, network
from service.security.sessions import SignedIn, Visitor, open_session
from service.security.tables import LoginLink, User

log = structlog.get_logger(__name__)

LASTS = timedelta(hours=1)


class LinkUsedUp(Unauthenticated):
    """This sign-in link was used already, or is too old. Ask for a new one: `make up` prints it."""


async def create_login_link(username: str = "admin") -> str:
    """Return a code that signs a user in once, within `LASTS`: the link is `/ui/login?code=<code>`."""
    secret = new_secret()
    credential = Credential.of(secret)
    async with transaction() as session:
        user = await find_user(session, username)
        if user is None or user.disabled_at is not None:
            raise NotFound(what="active user", id=username)
        await session.execute(delete(LoginLink).where(LoginLink.expires_at < func.now()))
        session.add(
            LoginLink(
                user_id=user.id, key=credential.key, digest=credential.digest, expires_at=datetime.now(UTC) + LASTS
            )
        )
    return secret


async def redeem_login_link(code: str, visitor: Visitor) -> SignedIn:
    """Open a session for the bearer of the code, once; LinkUsedUp, or RateLimited by network."""
    await limiter.attempt((LOGIN_BY_ADDRESS, network(visitor.address)))
    credential = Credential.of(code)
    link = delete(LoginLink).where(
        LoginLink.key == credential.key, LoginLink.digest == credential.digest, LoginLink.expires_at > func.now()
    )
    async with transaction() as session:
        user_id = await session.scalar(link.returning(LoginLink.user_id))
        active = select(User.id).where(User.id == user_id, User.disabled_at.is_(None)).with_for_update()
        if user_id is None or await session.scalar(active) is None:
            raise LinkUsedUp
        signed_in = await open_session(session, user_id, visitor)
        await audit.record(session, "signed_in", user_id, user_id, visitor.address, way="link")
    log.info("signed in by link", user_id=str(user_id), address=visitor.address)
    return signed_in
