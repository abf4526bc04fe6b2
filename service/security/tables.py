"""People, and what proves that a request comes from one of them. Secrets are stored as hashes only."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, LargeBinary, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from service.database import Base
from service.security.permissions import ROLES, Role


class User(Base):
    """A person; the password is missing until one is set."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint(f"role IN ({', '.join(map(repr, ROLES))})", name="role"),
        Index("uq_users_username", text("lower(username)"), unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    username: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str | None] = mapped_column(Text)  # argon2id, with its parameters
    disabled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class CredentialColumns:
    """What tokens, sessions and login links have in common."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    key: Mapped[str] = mapped_column(Text, unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    @declared_attr
    def user_id(cls) -> Mapped[UUID]:
        return mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)


class Token(CredentialColumns, Base):
    """A bearer token; it may do what its scopes and its user's role both allow. A revoked one stays on record."""

    __tablename__ = "tokens"

    name: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class LoginSession(CredentialColumns, Base):
    """A sign-in: the browser's cookie, or the token that a login answered; and where it was made."""

    __tablename__ = "sessions"

    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    address: Mapped[str | None] = mapped_column(Text)
    agent: Mapped[str | None] = mapped_column(Text)  # what the browser calls itself


class LoginLink(CredentialColumns, Base):
    """A link that signs its user in; using it deletes it."""

    __tablename__ = "login_links"

    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Invitation(CredentialColumns, Base):
    """An admin's (`user_id`) permission to become a user; using it deletes it."""

    __tablename__ = "invitations"

    role: Mapped[Role] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class AuditEntry(Base):
    """Something that decided who gets in. Entries outlive the users they name."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_action_id", "action", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    timestamp: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    action: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[UUID | None] = mapped_column(index=True)
    subject_id: Mapped[UUID | None] = mapped_column(index=True)
    address: Mapped[str | None] = mapped_column(Text)
    correlation_id: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
