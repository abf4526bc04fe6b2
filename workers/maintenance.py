"""Actors of the timetable: what keeps the library true by itself."""

from collections.abc import Awaitable, Callable
from functools import partial

from service.annotations.anchors import announce_stale as announce_stale_annotations
from service.authors import normalization
from service.collections.centre import announce_stale as announce_stale_collections
from service.database import Session, transaction
from service.documents import indexing as documents
from service.events import current_origin, origin
from service.graph import importance, resolution
from service.hooks import PROFILE, RECONCILE
from service.imports.actions import announce_stalled as announce_stalled_imports
from service.imports.highlights import place_waiting
from service.ingestion import given
from service.ingestion.actions import announce_stalled
from service.notifications.actions import tell_missed
from service.quality import actions as quality
from service.queue import actor
from service.quizzes.progress import announce_stalled as announce_stalled_quizzes
from service.recommendations.profiles import announce_stale as announce_stale_profiles
from service.search.actions import announce_stale
from service.taxonomy import meanings, predictions

SETTLED = 10  # seconds without a change, after which what is derived should be there

SWEEPS: dict[
    str, Callable[[Session], Awaitable[int | dict[str, int]]]
] = {  # what is looked for, each in its own transaction
    "ingestions": announce_stalled,
    "documents": documents.announce_stale,
    "search": partial(announce_stale, age=SETTLED),
    "quality": quality.announce_stale,
    "annotated": announce_stale_annotations,
    "cited": given.announce_stale,
    "citations": resolution.announce_stale,
    "ranks": importance.announce_old,
    "authors": normalization.announce_stale,
    "profiles": partial(announce_stale_profiles, task=PROFILE.name),
    "notifications": tell_missed,
    "categories": meanings.announce_stale,
    "imports": announce_stalled_imports,
    "highlights": place_waiting,
    "quizzes": announce_stalled_quizzes,
    "classified": partial(predictions.announce_stale, age=SETTLED),
}


@actor(RECONCILE)
async def reconcile_derived_data() -> dict[str, int]:
    """Ask again, in the bulk lane, for what is missing or made from something else; return how much of each."""
    here = current_origin()
    found: dict[str, int] = {}
    with origin(here.correlation_id, here.cause, bulk=True):
        for name, sweep in SWEEPS.items():
            async with transaction() as session:
                stale = await sweep(session)
            found |= stale if isinstance(stale, dict) else {name: stale}
        after = None
        found["collections"] = 0
        while True:
            async with transaction() as session:
                stale, after = await announce_stale_collections(session, after)
            found["collections"] += stale
            if after is None:
                return found
