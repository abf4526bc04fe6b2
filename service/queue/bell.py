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

    def hear(news: Any) -> None:
        content: bytes = news[2] if news[0] == b"message" else b""
        if content:
            id, lane, body = content.split(b" ", 2)
            ring(Claim(id, lane, body, deliveries=1, bounded=0, keys=None))
        else:
            ring(None)

    try:
        async with asyncio.timeout(TIMEOUT):
            link = await connect(address(), hear)
            await link.request([("SUBSCRIBE", f"{NAMESPACE}:bell:{worker}")])
    except OSError as error:  # TimeoutError is one
        raise BrokerAway(reason=str(error) or type(error).__name__) from error
    try:
        ring(None)
        while True:
            async with asyncio.timeout(TIMEOUT):
                [answer] = await link.request([("PING",)])
            hear(answer)  # it may be a ring that came before the answer, which then counts as one
            await asyncio.wait([link.lost], timeout=CHECK)
    except TimeoutError as error:
        raise BrokerAway(reason="the bell is out of order") from error
    finally:
        link.close()
