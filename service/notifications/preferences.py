"""Which kinds of notifications somebody wants."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from service.database import ReadSession, Session
from service.notifications.kinds import ASKED_FOR, KINDS, Kind
from service.notifications.tables import NotificationPreference
from service.security.accounts import Account


async def read(session: ReadSession, account: Account) -> dict[Kind, bool]:
    """Return for every kind whether the account wants it."""
    mine = select(NotificationPreference.kind, NotificationPreference.wanted)
    rows = await session.execute(mine.where(NotificationPreference.user_id == account.id))
    chosen = {kind: wanted for kind, wanted in rows.all()}
    return {kind: chosen.get(kind, kind not in ASKED_FOR) for kind in KINDS}


async def write(session: Session, account: Account, wanted: Mapping[str, bool]) -> dict[Kind, bool]:
    """Set these kinds, and return all."""
    if wanted:
        rows = [{"user_id": account.id, "kind": kind, "wanted": value} for kind, value in wanted.items()]
        change = insert(NotificationPreference).values(rows)
        keys = [NotificationPreference.user_id, NotificationPreference.kind]
        await session.execute(
            change.on_conflict_do_update(index_elements=keys, set_={"wanted": change.excluded.wanted})
        )
    return await read(session, account)
