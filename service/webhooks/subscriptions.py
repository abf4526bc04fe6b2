"""Who subscribes to what, as this process knows it: asked of the database once a second while something happens."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from sqlalchemy import select

from service.database import reading
from service.security.tables import User
from service.webhooks.patterns import names
from service.webhooks.tables import Webhook

KNOWN_FOR = 1.0  # seconds; what another process changed meanwhile is found in the log (`offering.offer_missed`)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A webhook that is switched on, of somebody who may sign in, and the events that it names."""

    webhook_id: UUID
    user_id: UUID
    names: frozenset[str]


class Subscriptions:
    """The subscriptions of everybody."""

    def __init__(self) -> None:
        self._known: Sequence[Subscription] = ()
        self._until = 0.0

    def forget(self) -> None:
        """Ask again at the next event."""
        self._until = 0.0

    async def to(self, name: str, audience: UUID | None) -> list[Subscription]:
        """Return who is to be told of an event; `audience` is the only account that may see it, None: everyone."""
        if monotonic() >= self._until:
            until = monotonic() + KNOWN_FOR
            self._known = await _read()
            self._until = until
        return [one for one in self._known if name in one.names and audience in (None, one.user_id)]


async def _read() -> list[Subscription]:
    chosen = (
        select(Webhook.id, Webhook.user_id, Webhook.events)
        .join(User, User.id == Webhook.user_id)
        .where(Webhook.enabled_at.is_not(None), User.disabled_at.is_(None))
    )
    async with reading() as session:
        return [Subscription(row.id, row.user_id, names(row.events)) for row in await session.execute(chosen)]


subscriptions = Subscriptions()
