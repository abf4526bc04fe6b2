"""PageRank by examples whose outcome is known."""

import numpy as np
import pytest

from service.graph.ranking import pagerank, ranked


def ranks(nodes: int, *edges: tuple[int, int], damping: float = 0.85) -> list[float]:
    sources, targets = ([edge[side] for edge in edges] for side in (0, 1))
    return pagerank(nodes, np.array(sources, np.int64), np.array(targets, np.int64), damping).tolist()


def test_the_worked_example() -> None:
    """A cites B and C, B cites C, C cites D; D cites nothing, so that its rank is spread over all."""
    assert ranks(4, (0, 1), (0, 2), (1, 2), (2, 3)) == pytest.approx([0.1205, 0.1716, 0.3175, 0.3904], abs=5e-5)


def test_solving_the_equations_gives_the_same() -> None:
    """r = (1 - d)/n + d (M r + dangling/n), solved directly."""
    dice = np.random.default_rng(7)
    n, d = 40, 0.85
    edges = sorted({(int(a), int(b)) for a, b in dice.integers(0, n, (90, 2)) if a != b})
    matrix = np.zeros((n, n))
    for source, target in edges:
        matrix[target, source] = 1 / sum(one == source for one, _ in edges)
    matrix[:, matrix.sum(0) == 0] = 1 / n
    exact = np.linalg.solve(np.eye(n) - d * matrix, np.full(n, (1 - d) / n))
    assert ranks(n, *edges) == pytest.approx(exact.tolist(), abs=1e-8)


@pytest.mark.parametrize(
    ("nodes", "edges", "expected"),
    [
        (0, [], []),
        (1, [], [1.0]),
        (4, [], [0.25] * 4),
        (2, [(0, 1), (1, 0)], [0.5, 0.5]),
        (3, [(0, 1), (1, 2), (2, 0)], [1 / 3] * 3),
    ],
)
def test_small_graphs(nodes: int, edges: list[tuple[int, int]], expected: list[float]) -> None:
    assert ranks(nodes, *edges) == pytest.approx(expected)


def test_they_sum_to_one_whatever_the_graph_is() -> None:
    dice = np.random.default_rng(1)
    for nodes, edges in ((2, 1), (10, 100), (1000, 300), (1000, 9000)):
        made = dice.integers(0, nodes, (2, edges))
        found = pagerank(nodes, made[0], made[1])
        assert found.sum() == pytest.approx(1, abs=1e-12)
        assert found.min() > 0


def test_no_damping_leaves_all_alike() -> None:
    assert ranks(3, (0, 1), (1, 2), damping=0.0) == pytest.approx([1 / 3] * 3)


def test_bytes_are_read_as_they_were_written() -> None:
    sources, targets = np.array([0, 0, 1, 2], np.int64), np.array([1, 2, 2, 3], np.int64)
    assert ranked(4, sources.tobytes(), targets.tobytes()) == pagerank(4, sources, targets).tolist()
