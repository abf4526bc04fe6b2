"""What imports learn from others: a row of THE TABLE that calls a function.

On(IngestionCompleted, place_highlights),
"""

from typing import Any

from service.database import transaction
from service.events import Envelope
from service.imports.highlights import place


async def place_highlights(envelope: Envelope) -> None:
    """Place the highlights that waited for a text."""
    event: Any = envelope.event
    async with transaction() as session:
        await place(session, event.resource_id)
