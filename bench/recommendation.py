"""Recommendations at 10,000 resources: the time of one list, for a reader of a thousand interactions.

The vectors are synthetic: 200 directions drawn from a Gaussian, and around each of them resources with noise. They say
how long it takes and nothing about how good it is. PostgreSQL is a real one, as `make up` starts it.
"""

import asyncio
import os
import random
import sys
import time
from array import array
from uuid import UUID

import psutil
from sqlalchemy import text

from bench.report import Report, percentile
from bench.servers import servers
from service import database
from service.database import reading, transaction
from service.inference import DIMENSIONS, MODEL
from service.migrations import migrate
from service.recommendations import profiles
from service.recommendations.interests import interests
from service.recommendations.ranking import recommend
from service.search.vectors import to_text
from service.security.accounts import create_user
from service.settings import settings

SIZE = int(os.environ.get("SIZE", "10000"))
READERS = 50
INTERACTIONS = 1_000  # of each reader
DIRECTIONS, TASTES = 200, 6  # of meaning, and of them that one reader likes
PASSAGES = 3  # of each resource
CITATIONS = 20
NOISE = 0.035  # standard deviation of each dimension: a cosine of 0.8 to the direction
LISTS = 200
SHOWN = 20
BOUND = 80  # ms

_RESOURCES = text(
    """INSERT INTO resources (id, owner_id, private, title, url, canonical_url, type, language, authors, subjects, tags,
        content, content_hash, word_count, status, version, created_at)
    SELECT CAST(id AS uuid), :owner, n % 20 = 0, 'Resource ' || n, 'https://example.org/' || n,
        'https://example.org/' || n, 'note', 'en', ARRAY['Author ' || n % 997], ARRAY['Subject ' || direction], '{}',
        repeat('A sentence about something. ', 60), md5(id), 240, 'completed', 1, now() - make_interval(hours => n)
    FROM unnest(CAST(:ids AS text[]), CAST(:numbers AS int[]), CAST(:directions AS int[])) AS made(id, n, direction)"""
)
_CHUNKS = text(
    """INSERT INTO chunks (resource_id, ordinal, start, "end", text, embedding)
    SELECT CAST(id AS uuid), ordinal, 0, 100, 'A passage.', CAST(vector AS halfvec)
    FROM unnest(CAST(:ids AS text[]), CAST(:ordinals AS int[]), CAST(:vectors AS text[]))
        AS made(id, ordinal, vector)"""
)
_EMBEDDINGS = text(
    """INSERT INTO embeddings (resource_id, input_hash, model, mean, chunk_count, truncated)
    SELECT CAST(id AS uuid), md5(id), :model, CAST(vector AS vector), :chunks, false
    FROM unnest(CAST(:ids AS text[]), CAST(:vectors AS text[])) AS made(id, vector)"""
)
_CITATIONS = text(
    """INSERT INTO citations (id, resource_id, position, kind, value, text)
    SELECT gen_random_uuid(), r.id, n, 'url',
        'https://example.org/' || CAST(floor(power(random(), 3) * :size * 3) AS int), 'x'
    FROM resources r, generate_series(1, :each) n"""
)
_INTERACTIONS = text(
    """INSERT INTO interactions (user_id, resource_id, interaction_type, strength, created_at)
    SELECT :user, CAST(id AS uuid), 'view', .2, now() - make_interval(hours => CAST(place AS int))
    FROM unnest(CAST(:ids AS text[])) WITH ORDINALITY AS made(id, place) ORDER BY place DESC"""
)


def run() -> Report:
    """Fill a library, give it readers, ask for their lists."""
    with servers() as running:
        environment = running.environment()
        os.environ.update({name: value for name, value in environment.items() if name.startswith("PHAROS_")})
        settings.cache_clear()
        return asyncio.run(_measure())


async def _measure() -> Report:
    report = Report(
        "recommendation",
        f"Recommendations at {SIZE:,} resources",
        f"{LISTS} lists of {SHOWN}, one after the other, of {READERS} readers in turn, each with {INTERACTIONS:,} "
        f"interactions; {PASSAGES} passages a resource. The vectors are synthetic. The action that the API runs, on a "
        "PostgreSQL of its own.",
    )
    dice = random.Random(7)
    await migrate(settings().database_url or "")
    async with database.connected("bench", 16, 4):
        began = time.perf_counter()
        async with transaction() as session:
            owner = (await create_user(session, "owner", "admin")).id
        by_direction = await _fill(dice, owner)
        readers = [await _reader(dice, number, by_direction) for number in range(READERS)]
        async with database.engine().connect() as connection:
            await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE"))
        print(f"{SIZE:,} resources after {time.perf_counter() - began:.0f} s", file=sys.stderr)
        refreshed = [await _refreshed(reader) for reader in readers]
        report.figure("refreshing a profile, p95", "Pharos", "ms", [percentile(refreshed, 95)])
        await _lists(report, "readers", readers)
        async with transaction() as session:
            newcomers = [(await create_user(session, f"newcomer{number}", "reader")).id for number in range(READERS)]
        await _lists(report, "newcomers", newcomers)
    return report


async def _lists(report: Report, who: str, accounts: list[UUID]) -> None:
    for account in accounts[:20]:
        await recommend(account, SHOWN)
    times, shown, used = list[float](), 0, _processor_ms()
    for number in range(LISTS):
        began = time.perf_counter()
        _, items = await recommend(accounts[number % len(accounts)], SHOWN)
        times.append(1000 * (time.perf_counter() - began))
        shown += len(items)
    report.check(f"recommendations to {who}", shown, LISTS * SHOWN)
    report.figure("processor time of a list", who, "ms", [(_processor_ms() - used) / LISTS])
    for percent in (50, 95):
        report.figure(f"a list, p{percent}", who, "ms", [percentile(times, percent)])
    report.mark(f"a list for {who}, p95", percentile(times, 95), "at most", BOUND, "ms")


def _processor_ms() -> float:
    """Return the processor time of this process and of its PostgreSQL: it hardly depends on what else runs here."""
    own = psutil.Process()
    times = [one.cpu_times() for one in (own, *own.children(recursive=True))]
    return 1000 * sum(one.user + one.system for one in times)


async def _fill(dice: random.Random, owner: UUID) -> list[list[str]]:
    """Add the resources; return the ids of those of each direction."""
    directions = [_unit([dice.gauss(0, 1) for _ in range(DIMENSIONS)]) for _ in range(DIRECTIONS)]
    by_direction: list[list[str]] = [[] for _ in directions]
    for start in range(0, SIZE, 250):
        numbers = range(start, min(start + 250, SIZE))
        ids = [str(UUID(int=dice.getrandbits(128), version=4)) for _ in numbers]
        chosen = [dice.randrange(DIRECTIONS) for _ in numbers]
        for id, direction in zip(ids, chosen, strict=True):
            by_direction[direction].append(id)
        near = [[_near(dice, directions[one]) for one in chosen] for _ in range(PASSAGES)]
        async with transaction() as session:
            await session.execute(
                _RESOURCES, {"owner": owner, "ids": ids, "numbers": list(numbers), "directions": chosen}
            )
            for ordinal, vectors in enumerate(near):
                chunks = {"ids": ids, "ordinals": [ordinal] * len(ids), "vectors": vectors}
                await session.execute(_CHUNKS, chunks)
            await session.execute(_EMBEDDINGS, {"ids": ids, "vectors": near[0], "model": MODEL, "chunks": PASSAGES})
    async with transaction() as session:
        await session.execute(_CITATIONS, {"size": SIZE, "each": CITATIONS})
    return by_direction


async def _reader(dice: random.Random, number: int, by_direction: list[list[str]]) -> UUID:
    """Add somebody who mostly reads about a few directions."""
    liked = [id for direction in dice.sample(by_direction, TASTES) for id in direction]
    everything = [id for direction in by_direction for id in direction]
    read = [dice.choice(liked if dice.random() < 0.7 else everything) for _ in range(INTERACTIONS)]
    async with transaction() as session:
        user = await create_user(session, f"reader{number}", "reader")
        await session.execute(_INTERACTIONS, {"user": user.id, "ids": read})
        counted = text("INSERT INTO interaction_counts (user_id, total) VALUES (:user, :total)")
        await session.execute(counted, {"user": user.id, "total": INTERACTIONS})
    return user.id


async def _refreshed(account_id: UUID) -> float:
    began = time.perf_counter()
    async with reading() as session:
        draft = await profiles.gather(session, account_id)
    assert draft is not None
    async with transaction() as session:
        assert await profiles.keep(session, draft, interests(draft.touched, draft.vectors))
    return 1000 * (time.perf_counter() - began)


def _near(dice: random.Random, direction: list[float]) -> str:
    return to_text(array("f", _unit([value + dice.gauss(0, NOISE) for value in direction])).tobytes())


def _unit(vector: list[float]) -> list[float]:
    length = sum(value * value for value in vector) ** 0.5
    return [value / length for value in vector]
