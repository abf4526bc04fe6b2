"""When an owner may not see the answers of a quiz of their own."""

from uuid import UUID

from service.database import ReadSession
from service.errors import Conflict
from service.quiz_sessions.opened import newest_open


class SessionOpen(Conflict):
    """You are taking this quiz at the moment: submit it first, then its questions can be seen and changed."""


async def check(session: ReadSession, quiz_id: UUID, account_id: UUID) -> None:
    """Raise SessionOpen while an account takes a quiz."""
    if await newest_open(session, account_id, quiz_id) is not None:
        raise SessionOpen
