"""Passwords as argon2id hashes, computed off the event loop."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from pydantic import Field, SecretStr

from service.errors import RateLimited

Answer = TypeVar("Answer")
Password = Annotated[SecretStr, Field(min_length=8, max_length=1024)]  # a new one

# OWASP's first choice where memory is dear, https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODYS = f"$argon2id$v=19$m=19456,t=2,p=1${'A' * 22}${'A' * 43}"  # costs the same, and no password is known for it

# One at a time: a flood of sign-ins waits, and takes no more than one core and 19 MiB from everybody else.
_thread = ThreadPoolExecutor(1, "passwords")
_QUEUE = 100  # who comes later would wait for several seconds
_waiting = 0


async def hash_password(password: str) -> str:
    """Return the argon2id hash, with its salt and parameters; RateLimited while too many wait."""
    return await _in_turn(lambda: _hasher.hash(_bytes(password)))


async def verify_password(password: str, stored: str | None) -> bool:
    """Tell whether a password is right; without a stored hash it takes as long, and is never right."""
    return await _in_turn(lambda: _verify(_bytes(password), stored))


def outdated(stored: str) -> bool:
    """Tell whether a hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


async def _in_turn(work: Callable[[], Answer]) -> Answer:
    global _waiting
    if _waiting >= _QUEUE:
        raise RateLimited(retry_after=5)
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_thread, work)
    finally:
        _waiting -= 1


def _verify(password: bytes, stored: str | None) -> bool:
    try:
        return _hasher.verify(stored or _NOBODYS, password) and stored is not None
    except VerifyMismatchError:
        return False


def _bytes(password: str) -> bytes:
    """Keyboards compose characters differently; NFKC makes them one spelling (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")
