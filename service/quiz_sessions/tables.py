"""The rows that only this slice changes."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base
from service.quiz_sessions.asked import Asked

Time = DateTime(timezone=True)


class QuizSession(Base):
    """One person takes one quiz, once. `version` counts the changes of its answers."""

    __tablename__ = "quiz_sessions"
    __table_args__ = (
        Index("ix_quiz_sessions_owner_id_started_at", "owner_id", "started_at"),
        Index("ix_quiz_sessions_quiz_id_owner_id", "quiz_id", "owner_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    quiz_id: Mapped[UUID] = mapped_column(ForeignKey("quizzes.id", ondelete="CASCADE"))
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    seed: Mapped[int] = mapped_column(BigInteger)
    question_count: Mapped[int]  # as it began; those of deleted documents are gone from `session_questions`
    started_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    ends_at: Mapped[datetime | None] = mapped_column(Time)  # none: there is no limit
    version: Mapped[int] = mapped_column(server_default="0")
    submitted_at: Mapped[datetime | None] = mapped_column(Time)
    score: Mapped[float | None]
    possible: Mapped[float | None]  # the most that `score` could be
    percentage: Mapped[float | None]
    grade: Mapped[str | None] = mapped_column(Text)


class SessionQuestion(Base):
    """One question as it was asked, with its key, and what was answered.

    A copy: later editing changes no result. It goes with its resource, so that no text of what is deleted stays.
    `key` is as `Question.answer`, but that `option` is an index into `options` as they are shown here.
    """

    __tablename__ = "session_questions"
    __table_args__ = (Index("ix_session_questions_resource_id", "resource_id"),)

    session_id: Mapped[UUID] = mapped_column(ForeignKey("quiz_sessions.id", ondelete="CASCADE"), primary_key=True)
    question_id: Mapped[UUID] = mapped_column(primary_key=True)
    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"))
    position: Mapped[int]  # as shown
    type: Mapped[str] = mapped_column(Text)
    stem: Mapped[str] = mapped_column(Text)
    options: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    key: Mapped[dict[str, Any]] = mapped_column(JSONB)
    passage: Mapped[str] = mapped_column(Text)
    passage_start: Mapped[int]
    content_hash: Mapped[str] = mapped_column(Text)
    weight: Mapped[float]
    answer: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))  # none: not answered
    saved_at: Mapped[datetime | None] = mapped_column(Time)  # when the answer was given, on the server's clock
    points: Mapped[float | None]  # of `weight`
    verdict: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))  # how the points came about

    @property
    def asked(self) -> Asked:
        """The question alone."""
        return Asked(self.question_id, self.type, self.stem, self.options, self.key, self.passage)
