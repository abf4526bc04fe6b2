"""Actors of batches: an item and what is done to it commit together."""

import asyncio
from typing import Any
from uuid import UUID

from service.batches import actions
from service.batches.tables import Batch, BatchItem
from service.database import reading, transaction
from service.documents import actions as documents
from service.errors import PharosError, Unavailable
from service.inference import embed_passages
from service.quality import actions as quality
from service.quality.assessment import assess
from service.quality.tables import Quality
from service.queue import actor, progress
from service.queue.retries import is_outage
from service.search import actions as search
from service.search.tables import Embedding
from service.tasks import PROCESS_BATCH
from service.taxonomy import predictions

AT_A_TIME = 100  # items that are read


class NothingToClassify(PharosError):
    """The resource is not embedded yet, or no category is: both are on their way, and bring its classification."""


class NothingToDerive(PharosError):
    """The resource has no text yet."""


@actor(PROCESS_BATCH)
async def batch_process_resources(batch_id: UUID) -> dict[str, Any]:
    """Do what a batch asks for to those of its resources to which it was not done yet."""
    async with reading() as session:
        batch, settled = await actions.read(session, batch_id)
    progress(settled, batch.total, batch.operation)
    while True:
        async with reading() as session:
            items = await actions.pending(session, batch_id, AT_A_TIME)
        if not items:
            break
        for item in items:
            await _process(batch, item)
            settled += 1
            progress(settled, batch.total, batch.operation)
    async with transaction() as session:
        return await actions.finish(session, batch_id)


async def _process(batch: Batch, item: BatchItem) -> None:
    try:
        if batch.operation == "reindex":
            await _index(batch, item)
        elif batch.operation == "recompute_quality":
            await _assess(batch, item)
        elif batch.operation == "reclassify":
            await _classify(batch, item)
        elif batch.operation == actions.DELETE:
            await _delete(batch, item)
        else:
            await _embed(batch, item)
    except Exception as error:
        if is_outage(error) or isinstance(
            error, Unavailable
        ):  # nothing is wrong with this item: the task waits, and goes on with it
            raise
        said = error.detail if isinstance(error, PharosError) else repr(error)[:500]
        async with transaction() as session:
            await actions.settle(session, item, said)


async def _index(batch: Batch, item: BatchItem) -> None:
    async with transaction() as session:
        await actions.check(session, batch.owner_id, item.resource_id)
        await search.discard(session, item.resource_id, "indexed")
        if not await search.index(session, item.resource_id):
            raise NothingToDerive
        await actions.settle(session, item)


async def _assess(batch: Batch, item: BatchItem) -> None:
    async with reading() as session:
        await actions.check(session, batch.owner_id, item.resource_id)
        draft = await quality.drafted(session, item.resource_id)
    assessment = None if draft is None else await asyncio.to_thread(assess, draft.evidence)
    async with transaction() as session:
        if draft is not None and assessment is not None:
            await quality.keep(session, draft, assessment)
        elif await session.get(Quality, item.resource_id) is None:
            raise NothingToDerive
        await actions.settle(session, item)


async def _classify(batch: Batch, item: BatchItem) -> None:
    async with transaction() as session:
        await actions.check(session, batch.owner_id, item.resource_id)
        await predictions.discard(session, item.resource_id)
    async with reading() as session:
        draft = await predictions.drafted(session, item.resource_id)
    if draft is None:
        raise NothingToClassify
    made = draft.predictions()
    async with transaction() as session:
        await predictions.keep(session, draft, made)  # where it changed meanwhile, its change asks for that
        await actions.settle(session, item)


async def _delete(batch: Batch, item: BatchItem) -> None:
    async with transaction() as session:
        await documents.remove_for(session, batch.owner_id, item.resource_id)
        await actions.settle(session, item)


async def _embed(batch: Batch, item: BatchItem) -> None:
    async with transaction() as session:
        await actions.check(session, batch.owner_id, item.resource_id)
        await search.discard(session, item.resource_id, "embedded")
    async with reading() as session:
        draft = await search.drafted(session, item.resource_id)
    embedded = None if draft is None else await embed_passages(draft.title, draft.content)
    async with transaction() as session:
        if draft is not None and embedded is not None:
            await search.keep_embedding(session, draft, embedded)
        elif await session.get(Embedding, item.resource_id) is None:
            raise NothingToDerive
        await actions.settle(session, item)
