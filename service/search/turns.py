"""Those who write one derived row follow one another, so that none writes what it read before another wrote."""

from typing import Literal
from uuid import UUID

from sqlalchemy import text

from service.database import Session

Step = Literal["indexed", "embedded"]
_KEYS: dict[Step, int] = {"indexed": 7262021, "embedded": 7262022}
_TURN = text("SELECT pg_advisory_xact_lock(:task, uuid_hash(CAST(:id AS uuid)))")


async def take_turn(session: Session, step: Step, resource_id: UUID) -> None:
    """Wait until nobody else writes this row of a resource; held until the transaction ends."""
    await session.execute(_TURN, {"task": _KEYS[step], "id": resource_id})
