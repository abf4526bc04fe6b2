"""The rows that only this slice changes."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base

Time = DateTime(timezone=True)


class Quiz(Base):
    """A quiz that somebody asked for: out of what, how many questions of which types, how far it is."""

    __tablename__ = "quizzes"
    __table_args__ = (Index("ix_quizzes_owner_id_created_at", "owner_id", "created_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(Text)
    sources: Mapped[dict[str, Any]] = mapped_column(JSONB)  # document_ids, resource_ids or collection_id, as asked
    num_questions: Mapped[int]  # asked for
    question_types: Mapped[list[str]] = mapped_column(JSONB)
    difficulty: Mapped[str | None] = mapped_column(Text)  # easy, medium, hard; none is a mixture
    seed: Mapped[int]
    status: Mapped[str] = mapped_column(Text, server_default="pending")  # pending, generating, ready, failed
    percent: Mapped[int] = mapped_column(server_default="0")
    message: Mapped[str | None] = mapped_column(Text)  # what it does, or why it failed
    generator: Mapped[str | None] = mapped_column(Text)  # rules or llm
    task_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())
    completed_at: Mapped[datetime | None] = mapped_column(Time)


class Question(Base):
    """One question with its key, and the passage of a resource that it rests on.

    `answer` is by type: multiple_choice `{"option": 2}`, an index into `options`; true_false `{"value": true}`;
    fill_in_blank `{"blanks": [["Ada Lovelace", "Lovelace"], ...]}`, what is accepted for each blank, the best first;
    short_answer `{"text": "...", "key_points": [{"text": "...", "terms": ["...", ...]}, ...]}`.
    """

    __tablename__ = "quiz_questions"
    __table_args__ = (
        Index("ix_quiz_questions_quiz_id_position", "quiz_id", "position"),
        Index("ix_quiz_questions_resource_id", "resource_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    quiz_id: Mapped[UUID] = mapped_column(ForeignKey("quizzes.id", ondelete="CASCADE"))
    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"))
    position: Mapped[int]
    type: Mapped[str] = mapped_column(Text)  # multiple_choice, true_false, fill_in_blank, short_answer
    difficulty: Mapped[str] = mapped_column(Text)  # easy, medium, hard
    stem: Mapped[str] = mapped_column(Text)  # each blank is five underscores
    options: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    passage: Mapped[str] = mapped_column(Text)  # verbatim
    passage_start: Mapped[int]  # characters into the content
    content_hash: Mapped[str] = mapped_column(Text)  # of the content that it was made from
    weight: Mapped[float] = mapped_column(server_default="1")
    report: Mapped[str | None] = mapped_column(Text)  # what is wrong with it, as somebody says
    reported_at: Mapped[datetime | None] = mapped_column(Time)
    edited_at: Mapped[datetime | None] = mapped_column(Time)
    retired_at: Mapped[datetime | None] = mapped_column(Time)  # replaced: new sessions do not ask it


class ModelUsage(Base):
    """Tokens that the language model of quizzes has cost on a day (UTC), with those that running requests reserved."""

    __tablename__ = "quiz_model_usage"

    day: Mapped[date] = mapped_column(primary_key=True)
    tokens: Mapped[int] = mapped_column(BigInteger)
