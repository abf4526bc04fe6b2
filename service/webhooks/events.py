"""What happens to webhooks; told to their owners only, and never to a webhook."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class WebhookChanged(Event):
    """Somebody made, changed or deleted a webhook: every process looks again who subscribes."""

    name = SystemEvent.WEBHOOK_CHANGED
    subject_field = "webhook_id"
    webhook_id: UUID


class WebhookDeliveryRequested(Event):
    """Something is to be told to a webhook: an event, a test, or once more what did not arrive."""

    name = SystemEvent.WEBHOOK_DELIVERY_REQUESTED
    priority = EventPriority.LOW
    subject_field = "delivery_id"
    delivery_id: UUID
    webhook_id: UUID


class WebhookTested(Event):
    """Somebody wants to see whether a webhook arrives; this event is what it is told."""

    name = SystemEvent.WEBHOOK_TESTED
    subject_field = "webhook_id"
    webhook_id: UUID


class WebhookDisabled(Event):
    """A webhook was switched off, since its receiver is gone (410) or failed too often in a row."""

    name = SystemEvent.WEBHOOK_DISABLED
    priority = EventPriority.HIGH
    subject_field = "webhook_id"
    webhook_id: UUID
    user_id: UUID
    reason: str
