"""The doorbell of a worker: a subscription, which the scripts ring when something waits in a lane it found empty.

A ring may hand over what it rings for: `<id> <lane> <message>`.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from service.queue.delivery import Claim
from service.queue.link import NAMESPACE, TIMEOUT, BrokerAway, address, connect

CHECK = 5.0  # seconds between looks whether the connection still lives


async def listen(worker: str, ring: Callable[[Claim | None], None]) -> None:
    """Call `ring` whenever the bell rings, and once when it is heard from now on; raises BrokerAway when it is not."""

    def hear(content: bytes) -> None:
        if content:
            id, lane, body = content.split(b" ", 2)
            ring(Claim(id, lane, body, deliveries=1, bounded=0, keys=None))
        else:
            ring(None)

    await subscribe(f"{NAMESPACE}:bell:{worker}", hear)


async def subscribe(channel: str, hear: Callable[[bytes], None]) -> None:
    """Call `hear` with what a channel says; with nothing when it is heard from now on, and now and then besides.

    Raises BrokerAway when it is not heard any more.
    """

    def take(news: Any) -> None:
        hear(news[2] if news[0] == b"message" else b"")

    try:
        async with asyncio.timeout(TIMEOUT):
            link = await connect(address(), take)
            await link.request([("SUBSCRIBE", channel)])
    except OSError as error:  # TimeoutError is one
        raise BrokerAway(reason=str(error) or type(error).__name__) from error
    try:
        hear(b"")
        while True:
            async with asyncio.timeout(TIMEOUT):
                [answer] = await link.request([("PING",)])
            take(answer)  # it may be a ring that came before the answer, which then counts as one
            await asyncio.wait([link.lost], timeout=CHECK)
    except TimeoutError as error:
        raise BrokerAway(reason="the bell is out of order") from error
    finally:
        link.close()
