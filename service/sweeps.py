"""THE SWEEPS: what looks for derived rows that are missing or made from something else, and asks for them again.

The reconciler runs them every few minutes, `pharos check` once.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from service.annotations.anchors import announce_stale as announce_stale_annotations
from service.authors import normalization
from service.collections.centre import announce_stale as announce_stale_collections
from service.database import Session, transaction
from service.documents import indexing as documents
from service.events import current_origin, origin
from service.graph import importance, resolution
from service.imports.actions import announce_stalled as announce_stalled_imports
from service.imports.highlights import place_waiting
from service.ingestion import given
from service.ingestion.actions import announce_stalled
from service.notifications.actions import tell_missed
from service.quality import actions as quality
from service.quizzes.progress import announce_stalled as announce_stalled_quizzes
from service.recommendations.profiles import announce_stale as announce_stale_profiles
from service.search.actions import announce_stale
from service.tasks import PROFILE
from service.taxonomy import meanings, predictions
from service.webhooks.offering import sweep as sweep_webhooks

FoundT = TypeVar("FoundT")

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
    "webhooks": sweep_webhooks,
    "imports": announce_stalled_imports,
    "highlights": place_waiting,
    "categories": meanings.announce_stale,
    "quizzes": announce_stalled_quizzes,
    "classified": partial(predictions.announce_stale, age=SETTLED),
}


class _Undone(Exception):
    """Only how much there is was asked for."""


async def sweep(*, ask: bool = True) -> dict[str, int]:
    """Ask again, in the bulk lane, for what is stale (only count it, where not to `ask`); return how much of each."""
    here = current_origin()
    found: dict[str, int] = {}
    with origin(here.correlation_id, here.cause, bulk=True):
        for name, look in SWEEPS.items():
            stale = await _in_transaction(look, ask)
            found |= stale if isinstance(stale, dict) else {name: stale}
        after = None
        found["collections"] = 0
        while True:
            stale, after = await _in_transaction(partial(announce_stale_collections, after=after), ask)
            found["collections"] += stale
            if after is None:
                return found


async def _in_transaction(look: Callable[[Session], Awaitable[FoundT]], ask: bool) -> FoundT:
    found: list[FoundT] = []
    try:
        async with transaction() as session:
            found.append(await look(session))
            if not ask:
                raise _Undone
    except _Undone:
        pass
    return found[0]
