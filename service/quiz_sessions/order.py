"""The order in which questions and options are shown: by a seed, the same on every machine and in every version."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeVar

T = TypeVar("T")


def shuffled(items: Iterable[T], seed: object) -> list[T]:
    """Return the items in the order that follows from the seed and from what they are, not from where they stood.

    An order by place could be turned back by whoever knows the seed, and where the right option stood tells it.
    """
    return sorted(items, key=lambda item: (sha256(f"{seed}:{item}".encode()).digest(), str(item)))


def arranged(
    options: Sequence[str] | None, answer: Mapping[str, Any], seed: object
) -> tuple[list[str] | None, dict[str, Any]]:
    """Return the options as they are shown, and the key that fits them."""
    if not options or "option" not in answer:
        return None, dict(answer)
    shown = shuffled(options, seed)
    return shown, {**answer, "option": shown.index(options[int(answer["option"])])}
