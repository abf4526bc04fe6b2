"""Rate limits: the window, over processes, in portions, and without Redis."""

import asyncio
from uuid import uuid4

import pytest
import redis.asyncio
from hypothesis import given
from hypothesis import strategies as st

from service.errors import RateLimited
from service.security.limits import ADMIN, Limit, Limiter, LocalWindows, network

STRICT = Limit("strict", 5, 60)
SHORT = Limit("short", 3, 1)
PORTIONED = Limit("portioned", 100, 60, portion=10)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


async def admitted(limiter: Limiter, limit: Limit, who: object, tries: int) -> int:
    """How many of `tries` simultaneous requests pass."""
    answers = await asyncio.gather(*(limiter.take(limit, who) for _ in range(tries)), return_exceptions=True)
    assert all(answer is None or isinstance(answer, RateLimited) for answer in answers)
    return answers.count(None)


async def attempts(limiter: Limiter, *buckets: tuple[Limit, str], tries: int) -> int:
    passed = 0
    for _ in range(tries):
        try:
            await limiter.attempt(*buckets)
        except RateLimited:
            continue
        passed += 1
    return passed


async def test_the_limit_holds_over_processes(accounts: None, other_process: Limiter) -> None:
    from service.security.limits import limiter

    assert await attempts(limiter, (STRICT, "a"), tries=3) == 3
    assert await attempts(other_process, (STRICT, "a"), tries=9) == 2
    assert await attempts(limiter, (STRICT, "b"), tries=1) == 1


async def test_an_attempt_counts_in_every_bucket_or_in_none(other_process: Limiter) -> None:
    wide = Limit("wide", 100, 60)
    assert await attempts(other_process, (STRICT, "a"), (wide, "x"), tries=50) == 5
    assert await attempts(other_process, (wide, "x"), tries=200) == 95


async def test_the_window_slides(other_process: Limiter) -> None:
    assert await attempts(other_process, (SHORT, "a"), tries=10) == 3
    async with asyncio.timeout(5):
        while not await attempts(other_process, (SHORT, "a"), tries=1):
            await asyncio.sleep(0.05)
    assert await attempts(other_process, (SHORT, "a"), tries=10) <= 2


async def test_a_refusal_says_when_to_try_again(other_process: Limiter) -> None:
    await attempts(other_process, (STRICT, "a"), tries=5)
    with pytest.raises(RateLimited) as refused:
        await other_process.attempt((STRICT, "a"))
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 120


async def test_portions_are_exact_within_one_process_and_shared_between_two(
    other_process: Limiter, cache_url: str
) -> None:
    who, second = uuid4(), Limiter()
    second.connect(cache_url)
    first_passed = await admitted(other_process, PORTIONED, who, 42)
    second_passed = await admitted(second, PORTIONED, who, 200)
    assert (first_passed, second_passed) == (42, 50)  # 5 portions of 10 went to the first, 8 requests lie there
    assert await admitted(other_process, PORTIONED, who, 20) == 8
    await second.disconnect()


async def test_an_ordinary_request_costs_no_hop(other_process: Limiter, cache_url: str) -> None:
    async with redis.asyncio.Redis.from_url(cache_url) as client:
        who = uuid4()
        await other_process.take(ADMIN, who)
        before = (await client.info("stats"))["total_commands_processed"]
        assert await admitted(other_process, ADMIN, who, 1_500) == 1_500
        assert (await client.info("stats"))["total_commands_processed"] - before <= 2  # the questions themselves


async def test_an_admin_may_do_more_than_500_requests_a_second(other_process: Limiter) -> None:
    assert ADMIN.requests / ADMIN.seconds >= 500
    assert await admitted(other_process, ADMIN, uuid4(), 10_000) == 10_000


async def test_without_redis_accounts_pass_and_attempts_are_counted_here() -> None:
    away = Limiter()
    away.connect("redis://127.0.0.1:1/0")
    assert await admitted(away, PORTIONED, uuid4(), 500) == 500
    assert await attempts(away, (STRICT, "a"), tries=20) == 5
    await away.forget((STRICT, "a"))
    assert await attempts(away, (STRICT, "a"), tries=20) == 5
    await away.disconnect()


async def test_a_redis_that_goes_away_gives_nobody_a_second_allowance(other_process: Limiter) -> None:
    assert await attempts(other_process, (STRICT, "a"), tries=4) == 4
    await other_process.disconnect()
    assert await attempts(other_process, (STRICT, "a"), tries=20) == 1


async def test_an_unanswering_redis_is_waited_for_once() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        away = Limiter()
        away.connect(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
        loop = asyncio.get_running_loop()
        began = loop.time()
        passed = [await admitted(away, PORTIONED, uuid4(), 1) for _ in range(50)]
        assert (sum(passed), loop.time() - began < 2) == (50, True)
        await away.disconnect()


async def test_an_emptied_redis_is_no_error(other_process: Limiter, cache_url: str) -> None:
    await attempts(other_process, (STRICT, "a"), tries=5)
    async with redis.asyncio.Redis.from_url(cache_url) as client:
        await client.flushall()
        await client.script_flush()
    assert await attempts(other_process, (STRICT, "a"), tries=9) == 5


def test_local_windows_forget_what_has_passed() -> None:
    clock = Clock()
    windows = LocalWindows(clock)
    bucket = (STRICT, "a")
    assert [windows.take([bucket])[0] for _ in range(7)] == [1, 1, 1, 1, 1, 0, 0]
    clock.now += windows.retry_after(bucket)
    assert windows.take([bucket]) == (1, 0)
    clock.now += 120
    assert [windows.take([bucket])[0] for _ in range(7)] == [1, 1, 1, 1, 1, 0, 0]


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60), st.integers(1, 20), st.sampled_from([1, 10, 60]))
def test_no_stretch_of_time_sees_more_than_twice_the_limit_and_waiting_always_helps(
    pauses: list[float], requests: int, seconds: int
) -> None:
    clock, limit = Clock(), Limit("any", requests, seconds)
    windows, bucket, passed = LocalWindows(clock), (limit, "a"), list[float]()
    for pause in pauses:
        clock.now += pause
        granted, retry_after = windows.take([bucket])
        if granted:
            passed.append(clock.now)
            continue
        assert 0 < retry_after <= 2 * seconds
        clock.now += retry_after
        assert windows.take([bucket]) == (1, 0)
        passed.append(clock.now)
    assert all(sum(at <= other < at + seconds for other in passed) <= 2 * requests for at in passed)


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        (None, "local"),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_customer_is_one_network(address: str | None, counted_as: str) -> None:
    assert network(address) == counted_as
