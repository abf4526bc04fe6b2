"""What happens to sessions. Each is told to the person who takes the quiz, alone."""

from uuid import UUID

from service.events import Event, SystemEvent


class QuizSessionStarted(Event):
    """Somebody began to take a quiz."""

    name = SystemEvent.QUIZ_SESSION_STARTED
    subject_field = "session_id"
    session_id: UUID
    quiz_id: UUID
    user_id: UUID


class QuizSessionSubmitted(Event):
    """Somebody has taken a quiz, with this result."""

    name = SystemEvent.QUIZ_SESSION_SUBMITTED
    subject_field = "session_id"
    session_id: UUID
    quiz_id: UUID
    user_id: UUID
    percentage: float
    grade: str
