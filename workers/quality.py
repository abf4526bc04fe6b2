"""Actors of quality: how good a resource is, what got worse, what stands out."""

import asyncio
from uuid import UUID

from service.database import reading, transaction
from service.quality import actions, monitoring
from service.quality.assessment import assess
from service.queue import actor
from service.tasks import DEGRADATION, OUTLIERS, QUALITY


@actor(QUALITY)
async def recompute_quality(resource_id: UUID) -> None:
    """Compute a resource's quality; no session is open meanwhile, and the loop goes on."""
    async with reading() as session:
        draft = await actions.drafted(session, resource_id)
    if draft is None:
        return
    assessment = await asyncio.to_thread(assess, draft.evidence)
    async with transaction() as session:
        await actions.keep(session, draft, assessment)


@actor(DEGRADATION)
async def monitor_quality_degradation() -> dict[str, int]:
    """Find what lost much of its quality within 30 days, step by step; return how much was new."""
    found, after, more = 0, None, True
    while more:
        async with transaction() as session:
            after, number = await monitoring.degraded(session, after)
        found, more = found + number, after is not None
    return {"degraded": found}


@actor(OUTLIERS)
async def detect_quality_outliers() -> dict[str, int]:
    """Find what is unlike all the others, step by step; return how much was new."""
    async with reading() as session:
        shared = await monitoring.reference(session)
    measure = await asyncio.to_thread(monitoring.measured, *shared)
    found, after, rows = 0, None, None
    while rows is None or len(rows) == monitoring.STEP:
        async with reading() as session:
            rows = await monitoring.following(session, after)
        verdicts = await asyncio.to_thread(monitoring.judged, rows, measure)
        async with transaction() as session:
            found += await monitoring.mark(session, rows, verdicts)
        after = rows[-1].resource_id if rows else None
    return {"outliers": found}
