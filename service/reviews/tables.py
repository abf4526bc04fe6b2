"""The rows that only this slice changes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base

Time = DateTime(timezone=True)


class ReviewCard(Base):
    """What somebody remembers of a question, by FSRS, and when it is asked again."""

    __tablename__ = "review_cards"
    __table_args__ = (
        Index("ix_review_cards_owner_id_due", "owner_id", "due"),
        Index("ix_review_cards_question_id", "question_id"),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    question_id: Mapped[UUID] = mapped_column(ForeignKey("quiz_questions.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(Text)  # review, or relearning: forgotten a moment ago
    step: Mapped[int | None]  # of relearning
    stability: Mapped[float]  # days after which 90 % is remembered
    difficulty: Mapped[float]  # 1 to 10
    due: Mapped[datetime] = mapped_column(Time)
    last_review: Mapped[datetime] = mapped_column(Time)
    reviews: Mapped[int]
    lapses: Mapped[int] = mapped_column(server_default="0")
    suspended_at: Mapped[datetime | None] = mapped_column(Time)
    created_at: Mapped[datetime] = mapped_column(Time, server_default=func.now())


class Review(Base):
    """One rating. It outlives its question, without a word of it: that somebody studied stays true."""

    __tablename__ = "review_log"
    __table_args__ = (
        Index("ix_review_log_owner_id_reviewed_at", "owner_id", "reviewed_at"),
        Index("ix_review_log_question_id", "question_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    question_id: Mapped[UUID | None] = mapped_column(ForeignKey("quiz_questions.id", ondelete="SET NULL"))
    rating: Mapped[int]  # 1 forgotten, 2 hard, 3 good, 4 easy
    state: Mapped[str | None] = mapped_column(Text)  # of the card before; none: it was new
    elapsed_days: Mapped[int | None]  # since the review before
    reviewed_at: Mapped[datetime] = mapped_column(Time)
