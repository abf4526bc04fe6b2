"""What happens to feeds."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class FeedDue(Event):
    """Somebody follows a feed, or the timetable found one that is to be looked at: all of its host are that are due."""

    name = SystemEvent.FEED_DUE
    priority = EventPriority.LOW
    subject_field = "feed_id"
    feed_id: UUID
    host: str
