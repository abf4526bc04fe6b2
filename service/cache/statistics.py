"""What the cache saved: counted in each process, added up over all of them in Redis, some at a time."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

FIELDS = ("hits", "misses", "invalidations", "computed", "read_bytes", "hit_seconds", "miss_seconds")
APART = ("l1_hits", "l1_misses", "damaged", "too_large", "outages")  # of no prefix

Command = tuple[str | bytes | int, ...]


class Statistics:
    """What this process counted since it last told Redis."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, float] = defaultdict(float)

    def count(self, field: str, prefix: str = "", by: float = 1) -> None:
        """Add to a figure, of one prefix or of none."""
        self._counts[f"{field}:{prefix}"] += by

    def take(self) -> dict[str, float]:
        """Return what was counted and begin anew; `give_back` what could not be told."""
        counts, self._counts = dict(self._counts), defaultdict(float)
        return counts

    def give_back(self, counts: Mapping[str, float]) -> None:
        """Count again what was taken."""
        for name, by in counts.items():
            self._counts[name] += by


def commands(key: bytes, counts: Mapping[str, float]) -> list[Command]:
    """Return the commands that add what was counted to the sums of all processes."""
    return [("HINCRBYFLOAT", key, name, repr(by)) for name, by in counts.items()]


def summed(rows: list[bytes]) -> dict[str, Any]:
    """Return the figures of all processes as they are answered, from the flat reply of HGETALL."""
    counts = {name.decode(): float(value) for name, value in zip(rows[::2], rows[1::2], strict=True)}
    by_prefix: defaultdict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(FIELDS, 0.0))
    for name, value in counts.items():
        field, _, prefix = name.partition(":")
        if prefix and field in FIELDS:
            by_prefix[prefix][field] = value
    shown = {prefix: _figures(figures) for prefix, figures in sorted(by_prefix.items())}
    total = {field: sum(figures[field] for figures in by_prefix.values()) for field in FIELDS}
    apart = {name: round(counts.get(f"{name}:", 0)) for name in APART}
    spent = total["hit_seconds"] + total["miss_seconds"]
    saved = round(sum(figures["saved_seconds"] for figures in shown.values()), 6)
    return {
        **_figures(total),
        "saved_seconds": saved,
        "saved_percent": round(100 * saved / (saved + spent), 1) if saved else 0.0,
        **{name: apart[name] for name in APART if not name.startswith("l1_")},
        "by_prefix": shown,
        "l1": _rates(apart["l1_hits"], apart["l1_misses"]),
    }


def _rates(hits: int, misses: int) -> dict[str, Any]:
    total = hits + misses
    hit, miss = (hits / total, misses / total) if total else (0.0, 0.0)
    return {
        "hits": hits,
        "misses": misses,
        "total_operations": total,
        "hit_rate": round(hit, 6),
        "hit_rate_percent": round(100 * hit, 2),
        "miss_rate": round(miss, 6),
        "miss_rate_percent": round(100 * miss, 2),
    }


def _figures(one: Mapping[str, float]) -> dict[str, Any]:
    """A hit saves the mean time of what is computed, less its own."""
    mean = one["miss_seconds"] / one["computed"] if one["computed"] else 0.0
    return {
        **_rates(round(one["hits"]), round(one["misses"])),
        "invalidations": round(one["invalidations"]),
        "computed": round(one["computed"]),
        "read_bytes": round(one["read_bytes"]),
        "saved_seconds": round(max(0.0, one["hits"] * mean - one["hit_seconds"]), 6),
    }
