"""Reading through the cache: what is kept, what is forgotten, who computes."""

import asyncio
from typing import Any

import pytest
import redis.asyncio

from service.cache import keys
from service.cache.cache import Cache
from service.cache.shared import Fresh
from tests.cache.conftest import MakeCache, Source, always, until

HOSTILE = [
    "",
    ":",
    "a b",
    "line\nbreak",
    "*",
    "[ab]?",
    "a:*",
    "#",
    "\x00",
    "x" * 10_000,
    "a:" * 5_000,
    "ü\U0001f3db",
    "\udc80",
]
NAMES = [
    "graph:1:neighbors", "graph:1:neighbors:ada", "graph:2:neighbors", "user:1:profile", "search_query:ab",
    "resource:1",
]  # fmt: skip


async def test_a_value_is_there_until_it_is_forgotten(cache: Cache) -> None:
    assert await cache.get("resource:1") is None
    await cache.set("resource:1", {"title": "Lamps", "words": [1, 2.5, None]})
    assert await cache.get("resource:1") == {"title": "Lamps", "words": [1, 2.5, None]}
    await cache.delete("resource:1")
    assert await cache.get("resource:1") is None


async def test_bytes_come_back_as_they_were(cache: Cache) -> None:
    for value in (b"", b"\x00\xff", b"{}" * 10_000, bytes(range(256)) * 1000):
        await cache.set("quality:1", value)
        assert await cache.get("quality:1") == value


@pytest.mark.parametrize(
    ("pattern", "gone"),
    [
        ("graph:*", {"graph:1:neighbors", "graph:1:neighbors:ada", "graph:2:neighbors"}),
        ("graph:1:*", {"graph:1:neighbors", "graph:1:neighbors:ada"}),
        ("user:1:*", {"user:1:profile"}),
        ("search_query:*", {"search_query:ab"}),
        ("nothing:*", set()),
        ("*", {*NAMES}),
    ],
)
async def test_a_pattern_takes_what_it_matches_and_nothing_else(cache: Cache, pattern: str, gone: set[str]) -> None:
    for name in NAMES:
        await cache.set(name, name)
    ended = await cache.delete_pattern(pattern)
    assert {name for name in NAMES if await cache.get(name) is None} == gone
    assert ended == bool(gone)


def test_every_kind_lives_as_long_as_the_contract_says() -> None:
    lives = {
        "embedding:1": 3600, "quality:1": 1800, "search_query:ab": 300, "resource:1": 600, "graph:1:neighbors": 1800,
        "user:1:profile": 600, "recommendations:1": 300, "classification:1": 3600, "anything": 300, "user:1:other": 300,
        "graph:1:neighbors:ada:10": 1800, "": 300,
    }  # fmt: skip
    assert {key: Cache.get_default_ttl(key) for key in lives} == lives


async def test_lives_are_cut_off_a_little_and_never_longer(cache: Cache, redis_client: redis.asyncio.Redis) -> None:
    for number in range(20):
        await cache.set(f"resource:{number}", number)
    lives = {await redis_client.pttl(keys.entry(f"resource:{number}")) for number in range(20)}
    assert 520_000 < min(lives) < max(lives) <= 600_000
    await cache.set("resource:1", 1, ttl=2)
    assert 1_000 < await redis_client.pttl(keys.entry("resource:1")) <= 2_000


async def test_any_key_holds_its_own_value(cache: Cache) -> None:
    for number, key in enumerate(HOSTILE):
        await cache.set(key, number)
    assert [await cache.get(key) for key in HOSTILE] == list(range(len(HOSTILE)))
    for number, key in enumerate(HOSTILE):
        if key:  # whose children all others are
            await cache.delete(key)
            assert await cache.get(key) is None, number


async def test_no_wild_card_of_a_key_is_one(cache: Cache) -> None:
    await cache.set("a:1", 1)
    await cache.set("a:*", 2)
    await cache.delete("a:*")
    assert (await cache.get("a:1"), await cache.get("a:*")) == (1, None)


async def test_a_huge_value_is_a_miss_and_counted(cache: Cache) -> None:
    source = Source("x" * 20_000_000)
    assert len((await cache.get_or_compute("quality:1", source)).value) == 20_000_000
    await until(lambda: "too_large:" in cache.statistics._counts and not cache._flights)
    assert (await cache.get_or_compute("quality:1", source)).cached is False
    assert source.computed == 2


async def test_a_long_value_is_compressed(cache: Cache, redis_client: redis.asyncio.Redis) -> None:
    await cache.set("resource:1", "sea " * 50_000)
    assert await redis_client.strlen(keys.entry("resource:1")) < 5_000
    assert await cache.get("resource:1") == "sea " * 50_000


@pytest.mark.parametrize("change", ["cut", "flip", "empty", "other", "list", "text"])
async def test_what_is_damaged_is_a_miss(cache: Cache, redis_client: redis.asyncio.Redis, change: str) -> None:
    entry = keys.entry("resource:1")
    for name in ("resource:1", "resource:2"):
        await cache.set(name, {"of": name})
    data = await redis_client.get(entry)
    await redis_client.delete(entry)
    match change:
        case "cut":
            await redis_client.set(entry, data[:-1])
        case "flip":
            await redis_client.set(entry, data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])
        case "empty":
            await redis_client.set(entry, b"")
        case "other":
            await redis_client.set(entry, await redis_client.get(keys.entry("resource:2")))
        case "list":
            await redis_client.rpush(entry, b"x")
        case _:
            await redis_client.set(entry, b'{"of": "resource:1"}')
    assert await cache.get("resource:1") is None
    answer = await cache.get_or_compute("resource:1", always({"of": "new"}))
    assert (answer.value, answer.cached) == ({"of": "new"}, False)
    if change != "list":
        assert cache.statistics._counts["damaged:"] > 0
    assert (await cache.get_or_compute("resource:1", always({"of": "newer"}))).value == {"of": "new"}


async def test_every_bit_of_an_entry_is_checked(cache: Cache, redis_client: redis.asyncio.Redis) -> None:
    await cache.set("resource:1", {"of": 1})
    entry = keys.entry("resource:1")
    data = bytearray(await redis_client.get(entry))
    for bit in range(8 * len(data)):
        data[bit // 8] ^= 1 << bit % 8
        await redis_client.set(entry, bytes(data))
        assert await cache.get("resource:1") is None, bit
        data[bit // 8] ^= 1 << bit % 8
    await redis_client.set(entry, bytes(data))
    assert await cache.get("resource:1") == {"of": 1}


async def test_generations_and_leases_of_a_wrong_kind_cost_only_the_cache(
    cache: Cache, redis_client: redis.asyncio.Redis
) -> None:
    await redis_client.rpush(keys.generation("resource"), b"x")
    source = Source()
    for _ in range(2):
        assert (await cache.get_or_compute("resource:1", source)).value == "value"
    await cache.forget(["resource"])  # and that heals it
    for _ in range(2):
        assert (await cache.get_or_compute("resource:1", source)).value == "value"
    assert source.computed == 3


async def test_a_thousand_who_miss_at_once_compute_once(cache: Cache, new_cache: MakeCache) -> None:
    source, other = Source(), await new_cache()
    answers = await asyncio.gather(
        *(one.get_or_compute("quality:1", source) for _ in range(500) for one in (cache, other))
    )
    assert [answer.value for answer in answers] == ["value"] * 1000
    assert source.computed == 1


async def test_who_comes_after_something_was_forgotten_joins_nothing_older(cache: Cache, new_cache: MakeCache) -> None:
    other = await new_cache()
    for forget in (
        lambda: cache.delete("quality:1"),
        lambda: other.delete_pattern("quality:*"),
        lambda: other.forget([""]),
    ):
        old, new = Source("old"), Source("new")
        old.go_on.clear()
        slow = asyncio.create_task(cache.get_or_compute("quality:1", old))
        await old.begun.wait()
        await forget()
        for one in (cache, other):
            assert (await one.get_or_compute("quality:1", new)).value == "new"
        old.go_on.set()
        assert (await slow).value == "old"  # it asked before
        assert [(await one.get_or_compute("quality:1", new)).value for one in (cache, other)] == ["new", "new"]
        assert new.computed == 1
        await cache.delete("quality:1")


async def test_a_slow_one_stores_nothing_that_was_forgotten_meanwhile(cache: Cache) -> None:
    old = Source("old")
    old.go_on.clear()
    slow = asyncio.create_task(cache.get_or_compute("search_query:1", old, tags=["collection:1"]))
    await old.begun.wait()
    await cache.forget(["collection:1"])
    old.go_on.set()
    assert (await slow).value == "old"
    assert await cache.get("search_query:1") is None
    assert (await cache.get_or_compute("search_query:1", always("new"), tags=["collection:1"])).value == "new"


async def test_what_fails_is_told_to_all_who_wait_and_not_kept(cache: Cache) -> None:
    async def fail() -> Fresh:
        raise ValueError("nothing there")

    answers = await asyncio.gather(*(cache.get_or_compute("a:1", fail) for _ in range(5)), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["nothing there"] * 5
    assert (await cache.get_or_compute("a:1", always(1))).value == 1


async def test_who_asks_after_a_failure_is_not_told_of_it(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    may_end, keep = asyncio.Event(), cache.shared.keep

    async def slow(*arguments: Any) -> None:
        await may_end.wait()
        await keep(*arguments)

    async def fail() -> Fresh:
        raise ValueError("nothing there")

    monkeypatch.setattr(cache.shared, "keep", slow)
    with pytest.raises(ValueError, match="nothing there"):
        await cache.get_or_compute("a:1", fail)
    asyncio.get_running_loop().call_later(0.1, may_end.set)
    assert (await cache.get_or_compute("a:1", always(1))).value == 1


async def test_a_stamp_that_differs_is_a_miss(cache: Cache) -> None:
    async def at(stamp: str, value: Any) -> Any:
        async def compute() -> Fresh:
            return Fresh(value, stamp)

        return (await cache.get_or_compute("resource:1", compute, stamp=stamp)).value

    assert [await at("1", "a"), await at("1", "b"), await at("2", "c"), await at("2", "d")] == ["a", "a", "c", "c"]


async def test_what_is_not_valid_any_more_is_computed_again(cache: Cache) -> None:
    async def is_b(value: Any) -> bool:
        return value == "b"

    for value in ("a", "b", "c"):
        answer = await cache.get_or_compute("a:1", always(value), valid=is_b)
    assert (answer.value, answer.cached) == ("b", True)


async def test_one_that_goes_away_leaves_the_others_what_they_wait_for(cache: Cache) -> None:
    source = Source()
    source.go_on.clear()
    first, second = (asyncio.create_task(cache.get_or_compute("a:1", source)) for _ in range(2))
    await source.begun.wait()
    first.cancel()
    source.go_on.set()
    assert (await second).value == "value"
    assert source.computed == 1


async def test_an_evicted_generation_never_comes_back(cache: Cache, redis_client: redis.asyncio.Redis) -> None:
    await cache.set("resource:1", "old")
    data = await redis_client.get(keys.entry("resource:1"))
    await redis_client.delete(keys.generation("resource"))  # as an eviction would
    await cache.set("resource:2", "another begins the generation anew")
    await redis_client.set(keys.entry("resource:1"), data)
    assert await cache.get("resource:1") is None


async def test_without_a_connection_everything_is_computed() -> None:
    alone, source = Cache(), Source()
    for _ in range(2):
        assert (await alone.get_or_compute("a:1", source)).value == "value"
    assert (source.computed, await alone.get("a:1")) == (2, None)
    await alone.set("a:1", 1)
    await alone.delete("a:1")
    await alone.forget(["a"])
