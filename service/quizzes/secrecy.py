"""When an owner may not see the answers of a quiz of their own."""

from uuid import UUID

from service.database import ReadSession
from service.errors import Conflict


class SessionOpen(Conflict):
    """You are taking this quiz at the moment: submit it first, then its questions can be seen and changed."""


async def taking(session: ReadSession, quiz_id: UUID, account_id: UUID) -> bool:
    """Tell whether an account has a session of a quiz that is open and not submitted. There are no sessions yet."""
    return False


async def check(session: ReadSession, quiz_id: UUID, account_id: UUID) -> None:
    """Raise SessionOpen while an account takes a quiz."""
    if await taking(session, quiz_id, account_id):
        raise SessionOpen
