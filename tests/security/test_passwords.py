"""Passwords: argon2id, off the loop, the same time for everybody."""

import asyncio
from time import perf_counter

import pytest
from argon2 import PasswordHasher

from service.errors import RateLimited
from service.security import passwords
from service.security.passwords import hash_password, outdated, verify_password


async def test_only_the_right_password_is_right() -> None:
    stored = await hash_password("correct horse")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await verify_password("correct horse", stored)
    assert not await verify_password("correct horse ", stored)
    assert not await verify_password("", stored)


async def test_composed_and_decomposed_characters_are_one_password() -> None:
    assert await verify_password("cafe\u0301 12345", await hash_password("caf\u00e9 12345"))


@pytest.mark.parametrize("password", ["", "nul\x00byte", "\ud800", "x" * 1024, "密码🔑"])
async def test_any_text_can_be_hashed(password: str) -> None:
    assert await verify_password(password, await hash_password(password))


async def test_nobody_knows_the_password_of_nobody() -> None:
    assert not await verify_password("", None)
    assert not outdated(passwords._NOBODYS)


async def test_hashes_of_other_parameters_are_outdated() -> None:
    assert outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"))
    assert not outdated(await hash_password("x"))


async def test_a_queue_that_would_take_seconds_is_refused() -> None:
    answers = await asyncio.gather(*(verify_password("x", None) for _ in range(110)), return_exceptions=True)
    assert (answers.count(False), sum(isinstance(answer, RateLimited) for answer in answers)) == (100, 10)
    assert not await verify_password("x", None)


async def test_the_loop_goes_on_meanwhile() -> None:
    hashing = asyncio.gather(*(hash_password("x") for _ in range(5)))
    longest, before = 0.0, perf_counter()
    while not hashing.done():
        await asyncio.sleep(0.001)
        longest, before = max(longest, perf_counter() - before), perf_counter()
    assert longest < 0.2
