"""What happens to notifications."""

from uuid import UUID

from service.events import Event, SystemEvent


class UserNotification(Event):
    """A person is told something, or one more thing of a group; seen by that person only."""

    name = SystemEvent.USER_NOTIFICATION
    subject_field = "notification_id"
    notification_id: UUID
    user_id: UUID
    kind: str
    title: str
    message: str
