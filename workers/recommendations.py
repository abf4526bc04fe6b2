"""Actors of recommendations."""

from uuid import UUID

from service.database import reading, transaction
from service.queue import actor
from service.recommendations import profiles
from service.recommendations.interests import interests
from service.tasks import PROFILE


@actor(PROFILE)
async def refresh_recommendation_profile(user_id: UUID) -> None:
    """Make a user's profile of the interactions up to now."""
    async with reading() as session:
        draft = await profiles.gather(session, user_id)
    if draft is None:
        return
    profile = None if draft.is_known else interests(draft.touched, draft.vectors)
    async with transaction() as session:
        await (profiles.keep(session, draft, profile) if profile else profiles.note(session, draft))
