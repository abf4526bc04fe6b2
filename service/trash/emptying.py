"""Deletes much for good, some in each transaction, so that no lock is held for long."""

from collections.abc import Awaitable, Callable

from service.database import Session, transaction
from service.security.accounts import Account
from service.settings import settings
from service.trash import actions


async def emptied(account: Account) -> int:
    """Delete for good what the account owns or deleted; return how much it was."""
    return await _until_nothing(lambda session: actions.empty(session, account))


async def purged() -> int:
    """Delete for good what has been in the trash long enough; return how much it was."""
    return await _until_nothing(lambda session: actions.purge_old(session, settings().trash_days))


async def _until_nothing(work: Callable[[Session], Awaitable[int]]) -> int:
    total = 0
    while True:
        async with transaction() as session:
            some = await work(session)
        if not some:
            return total
        total += some
