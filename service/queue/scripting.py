"""Calling the Lua scripts: nearly all that we ask of Redis, since each is one indivisible step."""

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from service.queue.link import BrokerAway, client

if TYPE_CHECKING:
    import redis


class Script(NamedTuple):
    """A Lua script under `scripts/`."""

    name: str
    source: str
    sha: str


class Call(NamedTuple):
    """One script with its arguments."""

    script: Script
    arguments: Sequence[str | bytes | int]


@cache
def script(name: str) -> Script:
    """Return `scripts/<name>.lua`, behind what all of them share."""
    folder = files("service.queue") / "scripts"
    source = f"{(folder / 'shared.lua').read_text()}\n{(folder / f'{name}.lua').read_text()}"
    return Script(name, source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


async def execute(*calls: Call) -> list[Any]:
    """Run scripts in one hop and return their replies; raises BrokerAway, and then any of them may have run."""
    redis = client()
    commands = [("EVALSHA", call.script.sha, 0, *call.arguments) for call in calls]
    replies = await redis.call(*commands)
    if any(isinstance(reply, Exception) for reply in replies):
        if any(_is_unknown(reply) for reply in replies):  # Redis was restarted or emptied
            await redis.call(*[("SCRIPT", "LOAD", known.source) for known in {call.script for call in calls}])
            replies = await redis.call(*commands)
        for call, reply in zip(calls, replies, strict=True):
            if isinstance(reply, Exception):
                raise BrokerAway(reason=f"script {call.script.name}: {reply}")
    return replies


def _is_unknown(reply: Any) -> bool:
    return isinstance(reply, Exception) and str(reply).startswith("NOSCRIPT")


def execute_blocking(redis: "redis.Redis", call: Call) -> Any:
    """Run a script from a thread without an event loop; raises BrokerAway."""
    from redis.exceptions import NoScriptError, RedisError

    try:
        try:
            return redis.execute_command("EVALSHA", call.script.sha, 0, *call.arguments)
        except NoScriptError:
            return redis.execute_command("EVAL", call.script.source, 0, *call.arguments)
    except (RedisError, OSError) as error:
        raise BrokerAway(reason=str(error) or type(error).__name__) from error
