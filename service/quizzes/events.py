"""What happens to quizzes; all of it is told to the owner only."""

from uuid import UUID

from service.events import Event, EventPriority, SystemEvent


class QuizRequested(Event):
    """Somebody wants a quiz."""

    name = SystemEvent.QUIZ_REQUESTED
    priority = EventPriority.HIGH
    subject_field = "quiz_id"
    quiz_id: UUID
    user_id: UUID
    num_questions: int


class QuizStalled(Event):
    """The reconciler found a quiz that nobody works on."""

    name = SystemEvent.QUIZ_STALLED
    priority = EventPriority.LOW
    subject_field = "quiz_id"
    quiz_id: UUID
    user_id: UUID


class QuizGenerationStarted(Event):
    """A worker begins with a quiz."""

    name = SystemEvent.QUIZ_GENERATION_STARTED
    subject_field = "quiz_id"
    quiz_id: UUID
    user_id: UUID
    num_questions: int


class QuizGenerationProgress(Event):
    """How far a quiz is, and what is done for it now."""

    name = SystemEvent.QUIZ_GENERATION_PROGRESS
    priority = EventPriority.LOW
    subject_field = "quiz_id"
    quiz_id: UUID
    user_id: UUID
    progress: int  # percent
    message: str


class QuizGenerated(Event):
    """A quiz is ready; `questions` is their number."""

    name = SystemEvent.QUIZ_GENERATED
    priority = EventPriority.HIGH
    subject_field = "quiz_id"
    quiz_id: UUID
    user_id: UUID
    questions: int


class QuizGenerationFailed(Event):
    """There will be no quiz, and why."""

    name = SystemEvent.QUIZ_GENERATION_FAILED
    priority = EventPriority.HIGH
    subject_field = "quiz_id"
    quiz_id: UUID
    user_id: UUID
    error: str


class QuizReplacementRequested(Event):
    """Somebody wants another question in the place of one."""

    name = SystemEvent.QUIZ_REPLACEMENT_REQUESTED
    subject_field = "quiz_id"
    quiz_id: UUID
    question_id: UUID
    user_id: UUID


class QuizQuestionReplaced(Event):
    """Another question stands in the place of one; new sessions ask it."""

    name = SystemEvent.QUIZ_QUESTION_REPLACED
    subject_field = "quiz_id"
    quiz_id: UUID
    question_id: UUID
    new_id: UUID
    user_id: UUID
