"""Sending: what a process asks for during one round trip leaves as one hop, in Dramatiq's wire format."""

import asyncio
from asyncio import AbstractEventLoop, Future
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import orjson

from service.errors import Invalid, TooLarge
from service.queue.scripting import Call, execute, script
from service.queue.task import Dispatch
from service.queue.wire import encode

GATHER = 32  # requests that wait and start another hop
MOST = 64  # requests in a hop, so that others have some for theirs
HOPS = 4  # under way at a time
PER_CALL = 500  # messages; such a call takes Redis some 3 ms, in which it does nothing else
PER_HOP = 20  # calls
LARGEST = 2**20  # bytes of one message: Redis keeps it while it waits, and every try carries it twice

Packed = list[str | bytes | int]  # one message as the script `add` takes it


class MessageTooLarge(TooLarge):
    """{task} was given {size} bytes of arguments and options, {limit} at most: store them and send their id."""


class NotJson(Invalid):
    """{task} was given something that has no JSON form, {where}: {reason}."""


async def send(dispatches: Sequence[Dispatch]) -> None:
    """Put tasks into their queues; sending one again is harmless. Raises BrokerAway after a second at most."""
    if dispatches:
        await _sender().send([pack(dispatch) for dispatch in dispatches])


def pack(dispatch: Dispatch) -> Packed:
    """Return a request as the script `add` takes it; raises BadPriority, MessageTooLarge or NotJson."""
    task, message_id = dispatch.task, dispatch.id
    options: dict[str, Any] = {
        **dispatch.options,
        "redis_message_id": message_id,
        "event_id": str(dispatch.event_id),
        "correlation_id": dispatch.correlation_id,
    }
    if dispatch.bulk:
        options["bulk"] = True
    if dispatch.owner_id is not None:  # without hyphens: an id in the body changes when another message absorbs it
        options["accepted"] = [message_id.replace("-", ""), dispatch.owner_id.hex]
    if dispatch.batch:
        options["gathers"] = task.key
    arguments, positional = dispatch.arguments, dispatch.positional
    try:
        body = encode(message_id, task.queue.name, task.name, arguments, options, positional)
    except TypeError as error:
        raise not_json(task.name, arguments, positional, error) from error
    check_size(task.name, body)
    return [
        message_id,
        task.name,
        dispatch.lane,
        dispatch.slot,
        round(dispatch.after * 1000),
        round(dispatch.at_most * 1000),
        dispatch.batch,
        dispatch.key if dispatch.batch else "",
        dispatch.bounds,
        body,
    ]


def check_size(task: str, body: bytes) -> None:
    """Raise MessageTooLarge for a message beyond `LARGEST`."""
    if len(body) > LARGEST:
        raise MessageTooLarge(task=task, size=len(body), limit=LARGEST)


def not_json(task: str, arguments: Mapping[str, Any], positional: Sequence[Any], error: TypeError) -> NotJson:
    """Name the first argument that cannot be encoded; the options where all of them can."""
    named = [(f"argument {name!r}", value) for name, value in arguments.items()]
    for where, value in [*named, *((f"argument {n}", value) for n, value in enumerate(positional, 1))]:
        try:
            orjson.dumps(value)
        except TypeError as fault:
            return NotJson(task=task, where=where, reason=fault)
    return NotJson(task=task, where="its options", reason=error)


class _Sender:
    """Gathers what is asked for into hops, of which some are under way at a time: Redis works while we write."""

    def __init__(self) -> None:
        self._waiting: list[tuple[list[Packed], Future[None]]] = []
        self._hops: set[asyncio.Task[None]] = set()

    async def send(self, messages: list[Packed]) -> None:
        sent = asyncio.get_running_loop().create_future()
        self._waiting.append((messages, sent))
        if not self._hops or (len(self._waiting) == GATHER and len(self._hops) < HOPS):
            hop = asyncio.create_task(self._hop())
            self._hops.add(hop)
        await sent

    async def _hop(self) -> None:
        hop = asyncio.current_task()
        assert hop is not None
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await _deliver(batch)
        finally:
            self._hops.discard(hop)


async def _deliver(batch: list[tuple[list[Packed], Future[None]]]) -> None:
    failure: Exception | None = None
    try:
        await _transmit([message for messages, _ in batch for message in messages])
    except Exception as error:  # raised where it is waited for
        failure = error
    for _, sent in batch:
        if sent.done():
            continue
        if failure is None:
            sent.set_result(None)
        else:
            sent.set_exception(failure)


async def _transmit(messages: list[Packed]) -> None:
    for first in range(0, len(messages), PER_CALL * PER_HOP):
        hop = messages[first : first + PER_CALL * PER_HOP]
        calls = [
            Call(script("add"), [argument for message in hop[n : n + PER_CALL] for argument in message])
            for n in range(0, len(hop), PER_CALL)
        ]
        await execute(*calls)


_senders: WeakKeyDictionary[AbstractEventLoop, _Sender] = WeakKeyDictionary()


def _sender() -> _Sender:
    loop = asyncio.get_running_loop()
    known = _senders.get(loop)
    if known is None:
        known = _senders[loop] = _Sender()
    return known
