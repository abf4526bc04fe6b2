"""Tells every hub that the log has grown."""

from time import monotonic

from service.queue.link import NAMESPACE, BrokerAway, client

BELL = "events"
CHANNEL = f"{NAMESPACE}:bell:{BELL}"
PAUSE = 1.0  # seconds without a ring after one that failed

_quiet_until = 0.0


async def ring() -> None:
    """Tell every hub that the log has grown; never fails: hubs that hear nothing look by themselves."""
    global _quiet_until
    if monotonic() < _quiet_until:
        return
    try:
        await client().call(("PUBLISH", CHANNEL, b""))
    except BrokerAway:
        _quiet_until = monotonic() + PAUSE  # the relay must not wait for a broken bell again and again
