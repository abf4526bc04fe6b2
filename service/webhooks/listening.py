"""What the bus calls: for every event, and when somebody changed a webhook."""

from service.database import transaction
from service.events import Envelope
from service.webhooks.offering import Told, deliver_to
from service.webhooks.subscriptions import subscriptions


async def offer(envelope: Envelope) -> None:
    """Make a delivery for each webhook that is to be told; what fails here is found in the log again."""
    told = Told.of(envelope)
    if told.is_own or not (wanting := await subscriptions.to(told.name, told.audience)):
        return
    async with transaction() as session:
        for one in wanting:
            await deliver_to(session, one.webhook_id, one.user_id, told)


def renew(envelope: Envelope) -> None:
    """Look again who subscribes."""
    subscriptions.forget()
