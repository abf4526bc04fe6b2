"""Who has not submitted yet: whatever shows the key of a question asks this first."""

from uuid import UUID

from sqlalchemy import select

from service.database import ReadSession
from service.quiz_sessions.tables import QuizSession


async def newest_open(session: ReadSession, account_id: UUID, quiz_id: UUID) -> UUID | None:
    """Return the session in which an account takes this quiz, the newest of several; that its time is up ends none."""
    unsubmitted = select(QuizSession.id).where(
        QuizSession.quiz_id == quiz_id, QuizSession.owner_id == account_id, QuizSession.submitted_at.is_(None)
    )
    return await session.scalar(unsubmitted.order_by(QuizSession.started_at.desc(), QuizSession.id).limit(1))
