"""What a shell offers after TAB beside commands and options: ids, collections, tags, asked of the server.

It never says what is wrong, and never waits long: then the shell offers nothing.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import typer

from service.cli.api import connect

if TYPE_CHECKING:
    from service.client import Client

Offer = list[tuple[str, str]]  # what is offered, and what it is
PATIENCE = 2.0  # seconds
MOST = 50
_PLAIN = re.compile(r"^[\w.@+-]+$")  # needs no quotes in a shell


def _offered(context: typer.Context, begun: str, found: "Callable[[Client], Awaitable[Offer]]") -> Offer:
    import asyncio

    async def asked() -> Offer:
        given = context.params
        async with asyncio.timeout(PATIENCE):
            async with connect(given.get("server"), given.get("token"), timeout=PATIENCE, attempts=1) as pharos:
                return await found(pharos)

    try:
        return [(word, what) for word, what in asyncio.run(asked()) if word.startswith(begun)]
    except Exception:  # in the middle of somebody's line
        return []


def _listed(ctx: typer.Context, incomplete: str, listed: "Callable[[Client], AsyncIterator[Any]]", title: str) -> Offer:
    async def found(pharos: "Client") -> Offer:
        return [(str(one.id), getattr(one, title)) async for one in listed(pharos)]

    return _offered(ctx, incomplete, found)


def resources(ctx: typer.Context, incomplete: str) -> Offer:
    """Offer the ids of the newest resources."""

    return _listed(ctx, incomplete, lambda pharos: pharos.resources.list(limit=MOST), "title")


def collections(ctx: typer.Context, incomplete: str) -> Offer:
    """Offer collections by name, or by id where the name would need quotes."""

    async def found(pharos: "Client") -> Offer:
        names = [(one.name, str(one.id)) async for one in pharos.collections.list(limit=MOST)]
        return [(name, id) if _PLAIN.match(name) else (id, name) for name, id in names]

    return _offered(ctx, incomplete, found)


def tags(ctx: typer.Context, incomplete: str) -> Offer:
    """Offer the tags that begin so, the most used first."""

    async def found(pharos: "Client") -> Offer:
        counted = (await pharos.resources.tags(incomplete, limit=MOST)).items
        return [(one.tag, f"{one.count} resources") for one in counted if _PLAIN.match(one.tag)]

    return _offered(ctx, incomplete, found)


def imports(ctx: typer.Context, incomplete: str) -> Offer:
    """Offer the ids of the newest imports."""

    return _listed(ctx, incomplete, lambda pharos: pharos.imports.list(limit=MOST), "filename")


def feeds(ctx: typer.Context, incomplete: str) -> Offer:
    """Offer the ids of feeds."""

    return _listed(ctx, incomplete, lambda pharos: pharos.feeds.list(limit=MOST), "title")


def trashed(ctx: typer.Context, incomplete: str) -> Offer:
    """Offer the ids of what was deleted last."""

    return _listed(ctx, incomplete, lambda pharos: pharos.trash.list(limit=MOST), "title")


def readings(ctx: typer.Context, incomplete: str) -> Offer:
    """Offer the ids of what is on the reading list."""

    async def found(pharos: "Client") -> Offer:
        return [(str(one.resource_id), one.title) async for one in pharos.readings.list(limit=MOST)]

    return _offered(ctx, incomplete, found)
