"""Who has not submitted yet: whatever shows the key of a question asks this first."""

from uuid import UUID

from sqlalchemy import exists, select

from service.database import ReadSession
from service.quiz_sessions.tables import QuizSession
from service.security.accounts import Account


async def open_session_of(session: ReadSession, account: Account, quiz_id: UUID) -> bool:
    """Tell whether an account takes this quiz and has not submitted it; that its time is up changes nothing."""
    unsubmitted = exists().where(
        QuizSession.quiz_id == quiz_id, QuizSession.owner_id == account.id, QuizSession.submitted_at.is_(None)
    )
    return bool(await session.scalar(select(unsubmitted)))
