"""Recognising a credential: the same for HTTP, WebSocket and SSE."""

import asyncio
from collections.abc import Collection
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError

from service.database import reading
from service.errors import RateLimited, Unavailable
from service.security.accounts import Account
from service.security.credentials import Credential
from service.security.limits import GUESSES, limiter, network
from service.security.permissions import effective_scopes

KNOWN_FOR = 1.0  # seconds that an answer of the database is believed: how long a revoked token may still work
_MOST = 10_000

_BEARER = text(
    """
    SELECT digest, tokens.id, expires_at, scopes, false AS signed_in, users.id AS user_id, username, role
    FROM tokens JOIN users ON users.id = user_id
    WHERE key = ANY(:keys) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) AND disabled_at IS NULL
    UNION ALL
    SELECT digest, sessions.id, expires_at, NULL, true, users.id, username, role
    FROM sessions JOIN users ON users.id = user_id
    WHERE key = ANY(:keys) AND expires_at > now() AND disabled_at IS NULL
    """
)


class AccountsAway(Unavailable):
    """Nobody can be recognised now, because the database does not answer. Try again in a moment."""


class Known:
    """Who showed what during the last second: recognising them again is a look-up in a dictionary.

    Older answers stay, up to 10,000, to tell a secret that was seen before from a guess.
    """

    def __init__(self) -> None:
        self._answers: dict[bytes, tuple[float, Account | None]] = {}
        self._questions: dict[bytes, asyncio.Task[Account | None]] = {}

    def seen(self, credential: Credential) -> bool:
        """Tell whether this was asked about before."""
        return credential.digest in self._answers

    async def account(self, credential: Credential) -> Account | None:
        """Return whose credential this is; simultaneous questions about one are one query."""
        until, account = self._answers.get(credential.digest, (0.0, None))
        if monotonic() < until:
            return account
        question = self._questions.get(credential.digest)
        if question is None:
            question = self._questions[credential.digest] = asyncio.create_task(self._ask(credential))
        return await asyncio.shield(question)  # whoever hangs up must not take the answer from the others

    def forget(self, user_id: UUID) -> None:
        """Ask again about everything that this user showed."""
        for digest, (_, account) in self._answers.items():
            if account is not None and account.id == user_id:
                self._answers[digest] = (0.0, account)

    def clear(self) -> None:
        """Ask again about everything."""
        self._answers.clear()

    async def _ask(self, credential: Credential) -> Account | None:
        until = monotonic() + KNOWN_FOR  # from before the query: what it just misses is still out after a second
        try:
            async with reading() as session:
                rows = (await session.execute(_BEARER, {"keys": [credential.key]})).all()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise AccountsAway from error
        finally:
            del self._questions[credential.digest]
        account = next((_account(row) for row in rows if credential.matches(row.digest)), None)
        self._answers.pop(credential.digest, None)  # the longest unasked stands first
        if len(self._answers) >= _MOST:
            del self._answers[next(iter(self._answers))]
        self._answers[credential.digest] = (until, account)
        return account


known = Known()


async def authenticate(secret: str, address: str | None = None) -> Account | None:
    """Return the account whose token or session this is; None where it is unknown, expired, revoked or disabled.

    Raises RateLimited for a secret that was never seen, from a network that guessed too often.
    """
    credential = Credential.of(secret)
    if known.seen(credential):
        return await known.account(credential)
    guess = (GUESSES, network(address))
    if retry_after := limiter.local.retry_after(guess):
        raise RateLimited(retry_after=retry_after)
    account = await known.account(credential)
    if account is None:
        limiter.local.take([guess])
    return account


async def recognised(credentials: Collection[Credential]) -> dict[bytes, Account]:
    """Return whose these credentials are at this moment, by their digests; those of nobody are left out."""
    asked = {credential.digest for credential in credentials}
    async with reading() as session:
        rows = (await session.execute(_BEARER, {"keys": [credential.key for credential in credentials]})).all()
    return {row.digest: _account(row) for row in rows if row.digest in asked}


def _account(row: Row[Any]) -> Account:
    scopes = effective_scopes(row.role, row.scopes)
    return Account(row.user_id, row.username, row.role, scopes, row.id, row.signed_in, row.expires_at)
