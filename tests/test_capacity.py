"""The capacity model: its formulas against published results and the simulation, and docs/scaling.md against it."""

import random
from math import inf

import pytest

from bench import capacity
from bench.capacity import (
    COSTS,
    MEANING,
    PAGE,
    ROOT,
    Load,
    Service,
    Station,
    compared,
    filled,
    limits,
    simulate,
    stations,
)


def exponential(mean: float) -> Service:
    return Service(mean, 1, lambda dice: dice.expovariate(1 / mean))


def test_the_page_says_what_the_model_computes() -> None:
    page = PAGE.read_text()
    assert filled(page) == page, "run `make bench BENCH=capacity`"


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="limits"):
        filled(PAGE.read_text().replace("<!-- limits -->", ""))


def test_every_cost_has_a_meaning_and_the_one_without_a_benchmark_a_source() -> None:
    assert COSTS.keys() == MEANING.keys()
    assert all(0 < cost.value < inf for cost in COSTS.values())
    written = " ".join((ROOT / "docs" / "performance.md").read_text().split())
    assert f"the query's own vector {capacity.QUERY_VECTOR * 1000:g} ms" in written


@pytest.mark.parametrize(
    ("rate", "service", "servers", "waiting"),
    [
        (0.5, exponential(1), 1, 1.0),  # M/M/1: rho / (mu - lambda)
        (0.5, Service(1, 0, lambda dice: 1), 1, 0.5),  # M/D/1: half of that
        (1.0, exponential(1), 2, 1 / 3),  # M/M/2: Erlang's C is 1/3 at a load of 1
        (2.0, exponential(1), 3, 4 / 9),  # M/M/3: Erlang's C is 4/9 at a load of 2
    ],
)
def test_waiting_is_that_of_the_textbook_and_of_the_simulation(
    rate: float, service: Service, servers: int, waiting: float
) -> None:
    station = Station("one", rate, service, servers)
    assert station.waiting == pytest.approx(waiting)
    busy, waited = simulate(station)
    assert busy == pytest.approx(station.utilisation, abs=0.02)
    assert waited == pytest.approx(waiting, rel=0.1)


def test_lines_of_their_own_wait_longer_than_one_for_all() -> None:
    apart, together = Station("apart", 4, exponential(1), 1, lines=8), Station("together", 4, exponential(1), 8)
    assert apart.utilisation == together.utilisation == 0.5
    assert apart.waiting > 10 * together.waiting
    assert simulate(apart)[1] > 10 * simulate(together)[1]


def test_the_model_predicts_what_the_simulation_finds() -> None:
    assert len(compared()) >= 15
    for factor, station, (busy, waited) in compared():
        assert busy == pytest.approx(station.utilisation, abs=0.02), (factor, station.name)
        assert waited == pytest.approx(station.waiting, abs=0.1 * station.service.mean), (factor, station.name)


def test_nothing_is_busier_than_it_may_be() -> None:
    for factor in capacity.FACTORS:
        for station in stations(Load().times(factor)):
            assert station.utilisation <= capacity.BUSY
            fewer = station.servers * station.lines - 1
            assert fewer == 0 or station.rate * station.service.mean / fewer > capacity.BUSY * 0.9


def test_what_gives_way_first_stands_first_and_really_does() -> None:
    assert [factor for *_, factor in limits()] == sorted(factor for *_, factor in limits())
    [(what, _, factor), *_] = limits()
    assert what == "searches"

    def cores(times: float) -> float:
        load = Load().times(times)
        [search] = [one for one in stations(load) if one.name.startswith("search")]
        return search.rate * search.service.mean + capacity.derived_in_postgres(load)

    assert cores(factor * 0.99) < capacity.BUSY * capacity.SERVER_CORES < cores(factor * 1.01)


def test_the_dice_of_a_simulation_are_always_the_same() -> None:
    station = stations(Load())[0]
    assert simulate(station, 1000) == simulate(station, 1000)
    assert simulate(station, 1000) != simulate(station, 1000, seed=random.Random(1).randrange(10**6))
