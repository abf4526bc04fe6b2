"""Accounts, tokens and invitations."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from .base import Model

Role = Literal["admin", "editor", "reader", "operator"]
Scope = Literal["read", "write", "admin", "metrics"]


class Me(Model):
    """Who asks, and what the token may do."""

    id: UUID
    username: str
    role: Role
    scopes: Sequence[Scope]


class User(Model):
    """A user, as admins see them."""

    id: UUID
    username: str
    role: Role
    disabled: bool
    created_at: datetime


class Token(Model):
    """A token without its secret, of which `key` is the part that may be shown."""

    id: UUID
    name: str
    key: str
    scopes: Sequence[Scope]
    created_at: datetime
    expires_at: datetime | None = None


class NewToken(Token):
    """A new token with its secret, which is shown this once."""

    token: str


class Invitation(Model):
    """An invitation that nobody used yet; `user_id` is who invited."""

    id: UUID
    user_id: UUID
    role: Role
    created_at: datetime
    expires_at: datetime


class NewInvitation(Invitation):
    """A new invitation with its code, which is shown this once."""

    code: str
