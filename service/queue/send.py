"""Sending: what a process asks for during one round trip leaves as one hop, in Dramatiq's wire format."""

import asyncio
from asyncio import AbstractEventLoop, Future
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from service.queue.scripting import Call, execute, script
from service.queue.task import Dispatch
from service.queue.wire import encode

GATHER = 32  # requests that are enough for a hop
HOPS = 4  # under way at a time
PER_CALL = 500  # messages; such a call takes Redis some 3 ms, in which it does nothing else
PER_HOP = 20  # calls

Packed = list[str | bytes | int]  # one message as the script `add` takes it


async def send(dispatches: Sequence[Dispatch]) -> None:
    """Put tasks into their queues; sending one again is harmless. Raises BrokerAway after a second at most."""
    if dispatches:
        await _sender().send([pack(dispatch) for dispatch in dispatches])


def pack(dispatch: Dispatch) -> Packed:
    """Return a request as the script `add` takes it."""
    task, message_id = dispatch.task, dispatch.id
    options: dict[str, Any] = {
        "redis_message_id": message_id,
        "event_id": str(dispatch.event_id),
        "correlation_id": dispatch.correlation_id,
    }
    if dispatch.bulk:
        options["bulk"] = True
    if dispatch.batch:
        options["gathers"] = task.key
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
        encode(message_id, task.queue.name, task.name, dispatch.arguments, options),
    ]


class _Sender:
    """Gathers what is asked for into hops, of which some are under way at a time: Redis works while we write."""

    def __init__(self) -> None:
        self._waiting: list[tuple[list[Packed], Future[None]]] = []
        self._hops: set[asyncio.Task[None]] = set()
        self._flushes = False

    async def send(self, messages: list[Packed]) -> None:
        loop = asyncio.get_running_loop()
        sent = loop.create_future()
        self._waiting.append((messages, sent))
        if len(self._waiting) >= GATHER:
            self._flush()
        elif not self._flushes and not self._hops:
            self._flushes = True
            loop.call_soon(self._flush_rest)
        await sent

    def _flush_rest(self) -> None:
        self._flushes = False
        self._flush()

    def _flush(self) -> None:
        if self._waiting and len(self._hops) < HOPS:
            batch, self._waiting = self._waiting, []
            hop = asyncio.create_task(self._hop(batch))
            self._hops.add(hop)
            hop.add_done_callback(self._over)

    def _over(self, hop: asyncio.Task[None]) -> None:
        self._hops.discard(hop)
        if not self._flushes:  # those who waited for this hop may have more to send in this turn of the loop
            self._flushes = True
            asyncio.get_running_loop().call_soon(self._flush_rest)

    async def _hop(self, batch: list[tuple[list[Packed], Future[None]]]) -> None:
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
