"""What the cache saved, over all processes."""

from typing import Any

import pytest

from service.cache.cache import Cache
from tests.cache.conftest import MakeCache, always, until


async def test_three_hits_one_miss_and_two_invalidations(cache: Cache) -> None:
    await cache.get("quality:1")
    await cache.set("quality:1", 1)
    for _ in range(3):
        assert await cache.get("quality:1") == 1
    await cache.delete("quality:1")
    await cache.delete_pattern("graph:*")
    told = await cache.read_statistics()
    assert {name: told[name] for name in ("hits", "misses", "invalidations", "total_operations")} == {
        "hits": 3, "misses": 1, "invalidations": 2, "total_operations": 4,
    }  # fmt: skip
    assert (told["hit_rate"], told["hit_rate_percent"]) == (0.75, 75.0)
    assert (told["miss_rate"], told["miss_rate_percent"]) == (0.25, 25.0)
    assert told["by_prefix"]["quality"]["hits"] == 3
    assert told["by_prefix"]["graph"]["invalidations"] == 1


async def test_the_figures_are_those_of_all_processes(new_cache: MakeCache) -> None:
    caches = [await new_cache() for _ in range(3)]
    await caches[0].get("resource:1")
    await caches[0].set("resource:1", 1)
    for one in caches:
        assert await one.get("resource:1") == 1
    await caches[1].forget(["resource:1"])
    await caches[2].forget(["resource:1"])  # there was nothing any more

    async def told() -> tuple[Any, ...]:
        figures = await caches[0].read_statistics()
        return figures["hits"], figures["misses"], figures["invalidations"]

    async def all_told() -> bool:
        return await told() == (3, 1, 1)

    await until(all_told)


async def test_a_fresh_start_has_no_rate(cache: Cache) -> None:
    told = await cache.read_statistics()
    assert (told["total_operations"], told["hit_rate"], told["miss_rate"], told["by_prefix"]) == (0, 0.0, 0.0, {})


async def test_what_hits_save_is_what_misses_took(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    await cache.get_or_compute("search_query:1", always(1))
    for _ in range(4):
        await cache.get_or_compute("search_query:1", always(1))
    cache.statistics._counts["miss_seconds:search_query"] = 0.5
    cache.statistics._counts["hit_seconds:search_query"] = 0.25
    told = await cache.read_statistics()
    assert (told["saved_seconds"], told["by_prefix"]["search_query"]["computed"]) == (4 * 0.5 - 0.25, 1)
    assert told["saved_percent"] == round(100 * 1.75 / (1.75 + 0.75), 1)


async def test_kinds_that_nobody_declared_are_counted_together(cache: Cache) -> None:
    for number in range(50):
        await cache.get(f"made up {number}:1")
    assert {name: one["misses"] for name, one in (await cache.read_statistics())["by_prefix"].items()} == {"other": 50}
