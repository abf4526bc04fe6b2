"""Verbs of the cache: have it warmed, take out what nobody can read any more."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from service.cache import keys
from service.cache.cache import cache
from service.cache.entries import seal_of
from service.cache.events import WarmingRequested
from service.database import Session
from service.errors import Invalid
from service.outbox import emit
from service.queue.ledger import accept
from service.queue.task import Dispatch
from service.security.accounts import Account
from service.tasks import WARM

WARMED = ("resource", "search_query")  # what people ask for again, by these prefixes
STEP = 100  # entries that are looked at in one hop
REST = 0.005  # seconds between two steps: others come first
HEAD = 1024  # bytes of an entry that hold its seal


class NotWarmed(Invalid):
    """Nothing can be warmed of {prefix}; there are {available}."""


async def request_warming(session: Session, account: Account, prefixes: Sequence[str]) -> UUID:
    """Ask for what is used most to be in the cache; returns the id of the task that does it."""
    for prefix in prefixes:
        if prefix not in WARMED:
            raise NotWarmed(prefix=prefix[:100], available=" and ".join(WARMED))
    asked = ",".join(sorted(set(prefixes or WARMED)))
    event_id = emit(session, WarmingRequested(prefixes=asked), audience=account.id)
    task_id = Dispatch(WARM, {}, event_id).message_id
    await accept(session, account.id, WARM, task_id)
    return task_id


async def prune() -> dict[str, int]:
    """Take out entries of generations that are over, some at a time; those would only take room until they expire.

    Returns how many were looked at and how many taken out. Raises CacheAway. Generations expire by themselves.
    """
    looked = removed = 0
    cursor: bytes = b"0"
    if cache.shared.server is None:
        return {"looked_at": 0, "removed": 0}
    while True:
        ((cursor, found),) = await cache.shared.server.ask(
            ("SCAN", cursor, "MATCH", keys.entry("*"), "COUNT", STEP), patience=1.0
        )
        gone = await _over(found)
        if gone:
            await cache.shared.server.ask(("UNLINK", *gone), patience=1.0)
        looked, removed = looked + len(found), removed + len(gone)
        if cursor == b"0":
            return {"looked_at": looked, "removed": removed}
        await asyncio.sleep(REST)


async def _over(entries: Sequence[bytes]) -> list[bytes]:
    """Return those of which a generation is over, as far as the names of the entries tell which they are."""
    server = cache.shared.server
    if server is None or not entries:
        return []
    names = [keys.generations_of(entry) for entry in entries]
    heads = await server.ask(*[("GETRANGE", entry, 0, HEAD) for entry in entries], patience=1.0)
    asked = list({name for group in names for name in group})
    (present,) = await server.ask(("MGET", *asked), patience=1.0)
    now = dict(zip(asked, present, strict=True))
    over: list[bytes] = []
    for entry, head, group in zip(entries, heads, names, strict=True):
        identity, *sealed = seal_of(head).split(b"|")
        expected = [now[name] for name in group]
        if head and (identity != server.identity or sealed[: len(group)] != expected):
            over.append(entry)
    return over
