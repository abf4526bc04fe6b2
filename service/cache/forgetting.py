"""What each event makes untrue in the cache. It is forgotten twice:

after the commit    in the process that wrote, before its answer leaves
by the relay        of any process (THE TABLE), for one that was killed between the two; the second finds nothing
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from service.cache.cache import cache
from service.collections.events import (
    CollectionDeleted,
    CollectionResourceAdded,
    CollectionResourceRemoved,
    CollectionUpdated,
)
from service.database import Session
from service.duplicates.events import ResourceMerged
from service.events import Envelope, Event
from service.graph.events import CitationsResolved, GraphUpdated
from service.ingestion.events import CitationsExtracted
from service.quality.events import QualityComputed, QualityOutlierDetected
from service.recommendations.events import InteractionTracked, ProfileUpdated
from service.resources.events import ResourceDeleted, ResourceRestored, ResourceUpdated
from service.search.events import EmbeddingGenerated, SearchIndexUpdated
from service.taxonomy.events import ResourceClassified, TaxonomyChanged

REMEMBERED = 2000  # events; the relay comes some milliseconds after the commit

DERIVED = ("embedding", "quality", "resource", "classification", "graph")


_forgotten: dict[UUID, None] = {}  # ids of events


def of_resource(resource_id: UUID) -> list[str]:
    """Return what is untrue of a resource that was changed or deleted, and of what was found because of it."""
    return [*(f"{prefix}:{resource_id}" for prefix in DERIVED), "search_query"]


def _of_subject(event: Any) -> list[str]:
    return of_resource(event.resource_id)


def _of_collection(event: Any) -> list[str]:
    return [f"collection:{event.collection_id}"]  # the tag of what is filtered by it


def _of_user(event: InteractionTracked | ProfileUpdated) -> list[str]:
    return [f"user:{event.user_id}", f"recommendations:{event.user_id}"]


# fmt: off
FORGETS: dict[type[Event], Callable[[Any], Iterable[str]]] = {
    ResourceUpdated:           _of_subject,
    ResourceDeleted:           _of_subject,
    ResourceRestored:          _of_subject,
    ResourceMerged:            _of_subject,
    SearchIndexUpdated:        lambda event: ["search_query", f"resource:{event.resource_id}"],
    EmbeddingGenerated:        lambda event: ["search_query", "graph", f"embedding:{event.resource_id}"],
    QualityComputed:           lambda event: ["search_query", f"quality:{event.resource_id}", f"resource:{event.resource_id}"],  # noqa: E501
    QualityOutlierDetected:    lambda event: [f"quality:{event.resource_id}"],
    ResourceClassified:        lambda event: ["search_query", f"classification:{event.resource_id}", f"resource:{event.resource_id}"],  # noqa: E501
    TaxonomyChanged:           lambda event: ["search_query", "classification", "resource"],
    CitationsExtracted:        lambda event: [f"graph:{event.resource_id}"],
    CitationsResolved:         lambda event: ["graph"],
    GraphUpdated:              lambda event: ["graph"],
    CollectionUpdated:         _of_collection,
    CollectionDeleted:         _of_collection,
    CollectionResourceAdded:   _of_collection,
    CollectionResourceRemoved: _of_collection,
    InteractionTracked:        _of_user,
    ProfileUpdated:            _of_user,
}
# fmt: on


def names(events: Iterable[Event]) -> list[str]:
    """Return all that these events make untrue, each once."""
    return list(dict.fromkeys(name for event in events if (of := FORGETS.get(type(event))) for name in of(event)))


def after(session: Session, *also: str) -> None:
    """Forget names after the commit of this session, where no event of FORGETS tells of what was written."""
    session.after_commit.append(lambda: cache.forget(also))


async def forget(envelopes: Sequence[Envelope]) -> None:
    """Forget what these events, just committed, make untrue."""
    told = [envelope for envelope in envelopes if type(envelope.event) in FORGETS]
    if told and await cache.forget(names(envelope.event for envelope in told)):
        _forgotten.update(dict.fromkeys(envelope.id for envelope in told))
        while len(_forgotten) > REMEMBERED:
            del _forgotten[next(iter(_forgotten))]


async def forget_told(envelope: Envelope) -> None:
    """Forget what an event makes untrue, as a listener; not again what this process has forgotten."""
    if envelope.id not in _forgotten:
        await cache.forget(names([envelope.event]))
