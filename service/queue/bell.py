"""The doorbell of a worker: a subscription, which the scripts ring when something waits in a lane it found empty."""

import asyncio
from collections.abc import Callable

from service.queue.link import NAMESPACE, TIMEOUT, BrokerAway, address, connect

CHECK = 5.0  # seconds between looks whether the connection still lives


async def listen(worker: str, ring: Callable[[], None]) -> None:
    """Call `ring` whenever the bell rings, and once when it is heard from now on; raises BrokerAway when it is not."""
    try:
        async with asyncio.timeout(TIMEOUT):
            link = await connect(address(), ring)
            await link.request([("SUBSCRIBE", f"{NAMESPACE}:bell:{worker}")])
    except OSError as error:  # TimeoutError is one
        raise BrokerAway(reason=str(error) or type(error).__name__) from error
    try:
        ring()
        while True:
            # A ring that is taken for the answer makes the answer count as a ring, which is harmless.
            async with asyncio.timeout(TIMEOUT):
                await link.request([("PING",)])
            await asyncio.wait([link.lost], timeout=CHECK)
    except TimeoutError as error:
        raise BrokerAway(reason="the bell is out of order") from error
    finally:
        link.close()
