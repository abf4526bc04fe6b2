"""Durations in buckets: where they end, and what is read from them."""

import random

import pytest

from service.queue.durations import BOUNDS, bucket, by_bound, quantile


@pytest.mark.parametrize(
    ("seconds", "number"), [(0, 0), (0.001, 0), (0.0011, 1), (0.002, 4), (0.0021, 5), (1.024, 40), (1800, 84)]
)
def test_a_bucket_ends_at_a_power_of_the_fourth_root_of_two(seconds: float, number: int) -> None:
    assert bucket(seconds) == number


def test_quantiles_are_right_within_a_fifth() -> None:
    source = random.Random(7)
    times = sorted(source.lognormvariate(-2, 1.5) for _ in range(5000))
    counts: dict[int, int] = {}
    for one in times:
        counts[bucket(one)] = counts.get(bucket(one), 0) + 1
    for share in (0.5, 0.95, 0.99):
        found, exact = quantile(counts, share), times[int(share * len(times)) - 1]
        assert found is not None
        assert exact / 1.19 < found < exact * 1.19


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) is None


def test_bounds_are_ends_of_buckets() -> None:
    assert BOUNDS[0] == 0.004
    assert [2 ** (bucket(bound) / 4) / 1000 for bound in BOUNDS] == list(BOUNDS)


def test_all_are_counted_below_the_bound_that_they_keep() -> None:
    times = [0.0, 0.0005, 0.004, 0.0041, 0.9, 1.024, 1.1, 2097.152, 2098, 90_000]
    counts: dict[int, int] = {}
    for one in times:
        counts[bucket(one)] = counts.get(bucket(one), 0) + 1
    found = by_bound(counts)
    assert len(found) == len(BOUNDS) + 1
    for at, bound in enumerate(BOUNDS):
        assert sum(found[: at + 1]) == sum(one <= bound for one in times), bound
    assert found[-1] == 2
