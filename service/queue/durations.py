"""How long tasks ran, as counts in buckets that can be added up over workers, queues and minutes.

Bucket n holds what took more than 2^((n-1)/4) and at most 2^(n/4) milliseconds, so that a quantile is right within a
fifth; this is the exponential histogram of OpenTelemetry at scale 2
(https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram).
"""

from bisect import bisect_left
from collections.abc import Mapping
from math import ceil, log2

SCALE = 4  # buckets to a doubling
BOUNDS = tuple(2**doubling / 1000 for doubling in range(2, 22))  # seconds, 4 ms to 35 min: ends of buckets


def bucket(seconds: float) -> int:
    """Return the bucket of a duration; all up to a millisecond are in the first, 0."""
    return max(0, ceil(SCALE * log2(seconds * 1000))) if seconds > 0.001 else 0


def by_bound(counts: Mapping[int, int]) -> list[int]:
    """Return how many took up to each of `BOUNDS`, and more than the one before; the last of all took longer."""
    ends = [bucket(bound) for bound in BOUNDS]
    found = [0] * (len(ends) + 1)
    for number, count in counts.items():
        found[bisect_left(ends, number)] += count
    return found


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """Return the seconds within which `share` (0 to 1) of the runs ended, None where there were none."""
    wanted = share * sum(counts.values())
    before = 0
    for number in sorted(counts):
        count = counts[number]
        if count and before + count >= wanted:
            inside = (wanted - before) / count  # as if they were spread evenly over the bucket's exponents
            return 2 ** ((number - 1 + inside) / SCALE) / 1000
        before += count
    return None
