"""Accounts, invitations, tokens."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime

from .models import Invitation, Me, NewInvitation, NewToken, Page, Role, Scope, Token, User
from .transport import Asked, Id, Transport, given


class Users:
    """Who there is; only `me` is for everybody, the rest is for admins."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def me(self) -> Me:
        """Return who asks, and what the token may do."""
        return await self._transport.get(Me, "/users/me")

    def list(self, *, limit: int | None = None) -> AsyncGenerator[User]:
        """Yield all, by name."""
        return self._transport.each(Page[User], "/users", limit)

    async def create(self, username: str, password: str, *, role: Role = "reader") -> User:
        """Add one."""
        body = {"username": username, "password": password, "role": role}
        return await self._transport.send(User, "POST", "/users", body)

    async def update(
        self, id: Id, *, role: Role | None = None, disabled: bool | None = None, password: str | None = None
    ) -> User:
        """Change the role, set a new password, disable or enable."""
        body = given(role=role, disabled=disabled, password=password)
        return await self._transport.send(User, "PUT", f"/users/{id}", body)


class Invitations:
    """Accounts that are yet to be made."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, limit: int | None = None) -> AsyncGenerator[Invitation]:
        """Yield those that nobody used yet."""
        return self._transport.each(Page[Invitation], "/invitations", limit)

    async def create(self, *, role: Role = "reader", days: int = 7) -> NewInvitation:
        """Invite somebody; the code is shown this once."""
        asked = Asked("POST", "/invitations", body={"role": role, "days": days}, keyed=False)
        return await self._transport.ask(NewInvitation, asked)

    async def withdraw(self, id: Id) -> None:
        """Make one void."""
        await self._transport.delete(f"/invitations/{id}")


class Tokens:
    """Tokens of yours."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, limit: int | None = None) -> AsyncGenerator[Token]:
        """Yield all, without their secrets."""
        return self._transport.each(Page[Token], "/auth/tokens", limit)

    async def create(self, name: str, scopes: Sequence[Scope], *, expires_at: datetime | None = None) -> NewToken:
        """Make one; its secret is shown this once."""
        body = given(name=name, scopes=scopes, expires_at=expires_at)
        return await self._transport.ask(NewToken, Asked("POST", "/auth/tokens", body=body, keyed=False))

    async def revoke(self, id: Id) -> None:
        """Make one void."""
        await self._transport.delete(f"/auth/tokens/{id}")
