"""What happens between a person and the library. Each is told to that person alone."""

from typing import Literal
from uuid import UUID

from service.events import Event, EventPriority, SystemEvent

InteractionType = Literal["view", "annotation", "collection_add", "export", "rating", "download"]

EVERY = 10  # interactions after which the profile is made again


class InteractionTracked(Event):
    """Somebody touched a resource; `total_interactions` is the number of this one, counted from 1.

    Told to that account only, as the next two are.
    """

    name = SystemEvent.USER_INTERACTION_TRACKED
    priority = EventPriority.LOW
    subject_field = "user_id"
    user_id: UUID
    resource_id: UUID
    interaction_type: InteractionType
    total_interactions: int


class ProfileUpdated(Event):
    """What is recommended to a user rests on newer interactions."""

    name = SystemEvent.USER_PROFILE_UPDATED
    priority = EventPriority.LOW
    subject_field = "user_id"
    user_id: UUID


class ProfileStale(Event):
    """The reconciler found a profile, or a missing one, that ten or more interactions are not in."""

    name = SystemEvent.USER_PROFILE_STALE
    priority = EventPriority.LOW
    subject_field = "user_id"
    user_id: UUID


def every_tenth(event: InteractionTracked) -> bool:
    """Tell whether the profile is due."""
    return event.total_interactions % EVERY == 0
