"""How long tasks ran, as counts in buckets that can be added up over workers, queues and minutes.

Bucket n holds what took more than 2^((n-1)/4) and at most 2^(n/4) milliseconds, so that a quantile is right within a
fifth; this is the exponential histogram of OpenTelemetry at scale 2
(https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram).
"""

from collections.abc import Mapping
from math import ceil, log2

SCALE = 4  # buckets to a doubling


def bucket(seconds: float) -> int:
    """Return the bucket of a duration; all up to a millisecond are in the first, 0."""
    return max(0, ceil(SCALE * log2(seconds * 1000))) if seconds > 0.001 else 0


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
