"""What happens to digests."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class DigestDue(Event):
    """An hour that somebody chose has come, or a letter that could not be sent is to be tried again."""

    name = SystemEvent.DIGEST_DUE
    priority = EventPriority.LOW
    subject_field = "letter_id"
    letter_id: UUID
    user_id: UUID
