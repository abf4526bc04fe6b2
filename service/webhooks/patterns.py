"""Which events a subscription names: `resource.created`, `resource.*` for a family, `*` for all."""

from collections.abc import Iterable

from service.events import SystemEvent

# It holds the arguments of a task, which may be anything; and what is told of webhooks would be told without end.
WITHHELD = frozenset({SystemEvent.BACKGROUND_TASK_REQUEUED})
OWN = "webhook."


def names(patterns: Iterable[str]) -> frozenset[str]:
    """Return the events that any of the patterns names."""
    return frozenset(name for pattern in patterns for name in _of(pattern))


def _of(pattern: str) -> Iterable[str]:
    told = (name.value for name in SystemEvent if name not in WITHHELD and not name.startswith(OWN))
    if pattern == "*":
        return told
    if pattern.endswith(".*"):
        return (name for name in told if name.startswith(pattern[:-1]))
    return (name for name in told if name == pattern)
