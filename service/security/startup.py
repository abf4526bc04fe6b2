"""The first account, `admin`, and its token: what every start of a web process makes sure of."""

import os
import socket
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from service.database import Session, transaction
from service.security.accounts import ONE_AT_A_TIME, create_user, find_user
from service.security.authentication import known
from service.security.credentials import Credential, new_secret
from service.security.permissions import SCOPES
from service.security.tables import Token, User
from service.settings import settings

log = structlog.get_logger(__name__)

CONFIGURED = uuid5(NAMESPACE_URL, "urn:pharos:PHAROS_ADMIN_TOKEN")  # the id of the token that the setting names


async def ensure_admin() -> None:
    """Make the account `admin` and its token at the first start; later starts, and simultaneous ones, change nothing.

    The token is PHAROS_ADMIN_TOKEN, which is void as soon as a start finds it changed or gone; else the one in
    `<home>/admin-token`, which is made when it is missing, and replaced when it was revoked.
    """
    async with transaction() as session:
        await session.execute(ONE_AT_A_TIME)
        admin = await find_user(session, "admin") or await create_user(session, "admin", "admin")
        secret = (settings().admin_token or "").strip()
        if not secret:
            await session.execute(delete(Token).where(Token.id == CONFIGURED))
            await _ensure_token_file(session, admin, settings().home.resolve() / "admin-token")
        elif not await _grant(session, admin, CONFIGURED, "PHAROS_ADMIN_TOKEN", secret):
            log.error("PHAROS_ADMIN_TOKEN is refused because it was revoked; set another one")
    known.clear()


async def _ensure_token_file(session: Session, admin: User, file: Path) -> None:
    place = f"{socket.gethostname()}:{file}"
    id = uuid5(NAMESPACE_URL, f"urn:pharos:{place}")
    secret = _read(file)
    if secret and await _grant(session, admin, id, place, secret):
        return
    secret = new_secret()
    _write(file, secret)
    await _grant(session, admin, id, place, secret)
    log.info("wrote a new token of the account admin", file=str(file))


async def _grant(session: Session, admin: User, id: UUID, name: str, secret: str) -> bool:
    """Make `secret` the token `id`, valid for everything; False where exactly this one was revoked."""
    credential = Credential.of(secret)
    revoked = select(Token.id).where(
        Token.key == credential.key, Token.digest == credential.digest, Token.revoked_at.is_not(None)
    )
    if await session.scalar(revoked):
        return False
    await session.execute(delete(Token).where(Token.id == id, Token.key != credential.key))
    values = {"digest": credential.digest, "user_id": admin.id, "scopes": list(SCOPES), "expires_at": None}
    row = insert(Token).values(id=id, key=credential.key, name=name, **values)
    await session.execute(row.on_conflict_do_update(index_elements=[Token.key], set_=values))
    return True


def _read(file: Path) -> str:
    try:
        file.chmod(0o600)
        return file.read_text().strip()
    except FileNotFoundError:
        return ""


def _write(file: Path, secret: str) -> None:
    """Write so that nobody else can read it at any moment, and nobody at all half of it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(secret)
    draft.replace(file)
