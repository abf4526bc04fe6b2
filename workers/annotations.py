"""Actors of annotations: a marked passage is found again when its text changes."""

from uuid import UUID

from service.annotations import anchors
from service.annotations.anchoring import anchor_all
from service.database import reading, transaction
from service.queue import actor, in_process
from service.tasks import ANCHOR


@actor(ANCHOR)
async def anchor_annotations(resource_id: UUID) -> None:
    """Find the passages of a resource in its present text, some at a time; no session is open meanwhile."""
    while True:
        async with reading() as session:
            asked = await anchors.unanchored(session, resource_id)
        if asked is None:
            return
        found = await in_process(anchor_all, asked.content, asked.selectors)
        async with transaction() as session:
            await anchors.keep(session, asked, found)
