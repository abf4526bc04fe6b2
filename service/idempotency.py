"""`Idempotency-Key`: a POST that a client repeats within a day gets the first answer again."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import DateTime, Index, LargeBinary, SmallInteger, Text, delete, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column
from starlette.requests import Request
from starlette.responses import Response

from service.database import Base, transaction
from service.errors import Conflict, Invalid

KEPT = timedelta(hours=24)
UNFINISHED = timedelta(minutes=1)  # after which a request that never answered (a crash) may be made anew


class IdempotencyKey(Base):
    """A key that an account used, and the answer; no status while the first request is under way."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(Text)
    status: Mapped[int | None] = mapped_column(SmallInteger, default=None)
    headers: Mapped[dict[str, str] | None] = mapped_column(JSONB, default=None)
    body: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class KeyInUse(Conflict):
    """The first request with this Idempotency-Key is still being worked on; ask again in a moment."""


class KeyReused(Invalid):
    """This Idempotency-Key was used for a different request; take a new one."""


async def begin(request: Request, account_id: UUID, key: str) -> Response | None:
    """Take a key: None where the request is to be done now, the first answer where it was done before."""
    if not 0 < len(key) <= 255:
        raise Invalid("`Idempotency-Key` takes 1 to 255 characters.")
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    if not request.headers.get("content-type", "").startswith("multipart/"):  # uploads are known by their content
        digest.update(await request.body())
    fingerprint = digest.hexdigest()
    mine = (IdempotencyKey.account_id == account_id) & (IdempotencyKey.key == key)
    async with transaction() as session:
        expired = (IdempotencyKey.created_at < func.now() - KEPT) | (
            IdempotencyKey.status.is_(None) & (IdempotencyKey.created_at < func.now() - UNFINISHED)
        )
        await session.execute(delete(IdempotencyKey).where(mine, expired))
        row = insert(IdempotencyKey).values(account_id=account_id, key=key, fingerprint=fingerprint)
        taken = await session.execute(row.on_conflict_do_nothing().returning(IdempotencyKey.key))
        if taken.first() is not None:
            return None
        first = await session.scalar(select(IdempotencyKey).where(mine))
    if first is None or (first.status is None and first.fingerprint == fingerprint):
        raise KeyInUse
    if first.fingerprint != fingerprint:
        raise KeyReused
    assert first.status is not None
    return Response(first.body, first.status, (first.headers or {}) | {"Idempotent-Replayed": "true"})


async def finish(account_id: UUID, key: str, response: Response | None) -> None:
    """Keep the answer; a request that failed on our side (None, or 5xx) frees its key."""
    mine = (IdempotencyKey.account_id == account_id) & (IdempotencyKey.key == key)
    async with transaction() as session:
        if response is None or response.status_code >= 500:
            await session.execute(delete(IdempotencyKey).where(mine))
            return
        headers = {
            name: response.headers[name] for name in ("content-type", "location", "etag") if name in response.headers
        }
        await session.execute(
            update(IdempotencyKey)
            .where(mine)
            .values(status=response.status_code, headers=headers, body=bytes(response.body))
        )
