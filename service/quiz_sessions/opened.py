"""Who has not submitted yet: whatever shows the key of a question asks this first."""

from uuid import UUID

from sqlalchemy import select

from service.database import ReadSession
from service.quiz_sessions.tables import QuizSession
from service.security.accounts import Account


async def newest_open(session: ReadSession, account_id: UUID, quiz_id: UUID) -> UUID | None:
    """Return the session in which an account takes this quiz, the newest where it began several."""
    unsubmitted = select(QuizSession.id).where(
        QuizSession.quiz_id == quiz_id, QuizSession.owner_id == account_id, QuizSession.submitted_at.is_(None)
    )
    return await session.scalar(unsubmitted.order_by(QuizSession.started_at.desc(), QuizSession.id).limit(1))


async def open_session_of(session: ReadSession, account: Account, quiz_id: UUID) -> bool:
    """Tell whether an account takes this quiz and has not submitted it; that its time is up changes nothing."""
    return await newest_open(session, account.id, quiz_id) is not None
