"""Actors of the taxonomy: what a resource is about, what a category means, and the monthly training."""

from typing import Any
from uuid import UUID

from service.database import reading, transaction
from service.inference import embed_passages
from service.queue import actor
from service.queue.offload import in_process
from service.tasks import CLASSIFY, MEAN, RETRAIN
from service.taxonomy import meanings, predictions, training
from service.taxonomy.contest import contest


@actor(CLASSIFY)
async def classify_resource(resource_id: UUID) -> None:
    """Predict what a resource is about."""
    async with reading() as session:
        draft = await predictions.drafted(session, resource_id)
    if draft is None:
        return
    made = draft.predictions()
    async with transaction() as session:
        await predictions.keep(session, draft, made)
    if draft.labelled:
        async with transaction() as session:
            await predictions.learn_label(session, draft.labelled)


@actor(MEAN)
async def embed_categories(category_id: list[UUID]) -> None:
    """Embed the names of all categories that need it, those below the ones that changed included."""
    while True:
        async with reading() as session:
            drafts = await meanings.drafted(session)
        if not drafts:
            return
        made = [(draft, (await embed_passages(draft.title, draft.text)).mean) for draft in drafts]
        async with transaction() as session:
            await meanings.keep(session, made)


@actor(RETRAIN)
async def retrain_classification_model() -> dict[str, Any]:
    """Train on what people said, and use what does better on the part of it that was held out."""
    async with reading() as session:
        lessons = await training.lessons(session)
    if lessons is None:
        return {"trained": False}
    outcome = await in_process(contest, lessons)
    async with transaction() as session:
        return {"trained": await training.keep(session, lessons, outcome), **outcome.figures()}
