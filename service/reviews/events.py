"""What is told of reviews."""

from uuid import UUID

from service.events import Event, SystemEvent


class ReviewsDue(Event):
    """Questions come back to somebody today; told once a day, to that person only."""

    name = SystemEvent.REVIEWS_DUE
    user_id: UUID
    count: int
