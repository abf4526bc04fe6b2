"""What happens to an annotation; its maker alone hears of it."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class AnnotationCreated(Event):
    """Somebody marked a passage; told to that account, like the next two."""

    name = SystemEvent.ANNOTATION_CREATED
    annotation_id: UUID
    resource_id: UUID
    user_id: UUID


class AnnotationUpdated(Event):
    """An annotation was changed, or lost its passage, or has it again."""

    name = SystemEvent.ANNOTATION_UPDATED
    annotation_id: UUID
    resource_id: UUID
    user_id: UUID


class AnnotationDeleted(Event):
    """An annotation is gone."""

    name = SystemEvent.ANNOTATION_DELETED
    annotation_id: UUID
    resource_id: UUID
    user_id: UUID


class AnnotationsStale(Event):
    """The reconciler found annotations that were last looked for in another text than the present one."""

    name = SystemEvent.ANNOTATIONS_STALE
    priority = EventPriority.LOW
    resource_id: UUID
