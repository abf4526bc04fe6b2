"""The maths: scores, regression, figures, slugs, the default tree."""

from time import process_time
from uuid import UUID, uuid4

import numpy as np
import pytest

from service.taxonomy.classifier import PRIOR, TEMPERATURE, Classifier, Trained
from service.taxonomy.contest import CENTROID, REGRESSION, Lessons, contest
from service.taxonomy.defaults import rows
from service.taxonomy.evaluation import accuracy, is_held_out, macro_f1
from service.taxonomy.regression import fit, loss, minimise, softmax
from service.taxonomy.slugs import LONGEST, slug, unique

DICE = np.random.default_rng(7)


def axis(*places: int) -> np.ndarray:
    vector = np.zeros(384, dtype=np.float32)
    vector[list(places)] = 1
    return vector / np.linalg.norm(vector)


def ids(number: int) -> list[UUID]:
    return sorted(uuid4() for _ in range(number))


def test_softmax_of_a_published_example() -> None:
    """The table of https://en.wikipedia.org/wiki/Softmax_function#Example."""
    shares = softmax(np.array([1, 2, 3, 4, 1, 2, 3], dtype=float))
    assert np.round(shares, 3).tolist() == [0.024, 0.064, 0.175, 0.475, 0.024, 0.064, 0.175]
    assert softmax(np.array([1e4, 0.0])).tolist() == [1, 0]


def test_a_category_without_labels_is_its_name_and_one_with_many_is_its_centroid() -> None:
    one, other = ids(2)
    known = Classifier.of([one, other], [axis(0), axis(1)], [None, axis(2)], [0, 1000])
    assert np.allclose(known.weights[0], axis(0) / TEMPERATURE)
    assert known.predict(axis(2), 5)[0] == (other, 1)
    assert known.logits(axis(1)[None])[0, 1] < 0.1
    even = Classifier.of([one], [axis(0)], [axis(1)], [int(PRIOR)])
    assert np.allclose(even.weights[0], axis(0, 1) / TEMPERATURE, atol=1e-5)


def test_confidences_are_probabilities_and_the_best_are_told() -> None:
    known = Classifier.of(ids(8), [axis(place) for place in range(8)], [None] * 8, [0] * 8)
    found = known.predict(axis(3, 4), 5)
    assert len(found) == 5
    assert {id for id, _ in found[:2]} == {known.ids[3], known.ids[4]}
    assert sum(share for _, share in known.predict(axis(3, 4), 8)) == pytest.approx(1, abs=1e-3)
    assert Classifier.empty().predict(axis(0), 5) == []


def test_what_was_trained_takes_the_place_of_what_it_knows_and_survives_packing() -> None:
    first, second, third = ids(3)
    trained = Trained([second, uuid4()], np.stack([axis(5), axis(6)]), np.array([2.0, 0.0], dtype=np.float32))
    again = Trained.unpacked(trained.packed())
    assert again.ids == trained.ids
    known = Classifier.of([first, second, third], [axis(0), axis(1), None], [None] * 3, [0] * 3, again)
    assert known.logits(axis(5)[None]).round(3).tolist() == [[0, 3, 0]]


def test_the_gradient_is_that_of_the_loss() -> None:
    x, y = DICE.normal(size=(30, 4)), DICE.integers(0, 3, 30)
    weights, start = DICE.normal(size=(3, 4)), DICE.normal(size=(3, 4))
    _, gradient = loss(weights, x, y, start, 0.7)
    for place in np.ndindex(3, 4):
        step = np.zeros((3, 4))
        step[place] = 1e-6
        slope = (loss(weights + step, x, y, start, 0.7)[0] - loss(weights - step, x, y, start, 0.7)[0]) / 2e-6
        assert gradient[place] == pytest.approx(slope, rel=1e-4, abs=1e-5)


def test_lbfgs_finds_the_least_of_a_narrow_valley() -> None:
    def rosenbrock(point: np.ndarray) -> tuple[float, np.ndarray]:
        x, y = point
        return (1 - x) ** 2 + 100 * (y - x * x) ** 2, np.array(
            [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
        )

    assert np.allclose(minimise(rosenbrock, np.array([-1.2, 1.0])), [1, 1], atol=1e-4)


def test_regression_parts_what_can_be_parted_and_a_penalty_holds_it_back() -> None:
    y = DICE.integers(0, 3, 300)
    x = np.eye(3)[y] + DICE.normal(scale=0.2, size=(300, 3))
    zeros = np.zeros((3, 3))
    fitted = fit(x, y, zeros, 0.1)
    assert accuracy(y, (x @ fitted.T).argmax(axis=1)) > 0.97
    assert np.abs(loss(fitted, x, y, zeros, 0.1)[1]).max() < 1e-3
    assert np.abs(fit(x, y, zeros, 1e9)).max() < 1e-3


def test_macro_f1_of_a_published_example() -> None:
    """scikit-learn's documentation of `f1_score`: 0, 1, 2, 0, 1, 2 against 0, 2, 1, 0, 0, 1 gives 0.266..."""
    actual, predicted = np.array([0, 1, 2, 0, 1, 2]), np.array([0, 2, 1, 0, 0, 1])
    assert macro_f1(actual, predicted) == pytest.approx(0.8 / 3)
    assert accuracy(actual, predicted) == pytest.approx(1 / 3)


def test_a_fifth_is_held_out_and_always_the_same() -> None:
    made = [UUID(int=number) for number in range(5000)]
    held_out = [id for id in made if is_held_out(id)]
    assert 850 < len(held_out) < 1150
    assert held_out == [id for id in reversed(made) if is_held_out(id)][::-1]


def lessons(vectors: np.ndarray, y: np.ndarray, categories: list[UUID], priors: dict[UUID, np.ndarray]) -> Lessons:
    resources = [UUID(int=number) for number in range(len(y))]
    return Lessons(resources, vectors.astype(np.float32), [categories[place] for place in y], priors, "x")


def test_the_centroids_win_where_both_are_right() -> None:
    categories, y = ids(4), DICE.integers(0, 4, 200)
    vectors = np.stack([axis(place) for place in y])
    outcome = contest(lessons(vectors, y, categories, {id: axis(n) for n, id in enumerate(categories)}))
    assert (outcome.kind, outcome.parameters, outcome.classes) == (CENTROID, None, 4)
    assert outcome.contest[CENTROID] == {"accuracy": 1, "macro_f1": 1}


def test_regression_wins_where_the_means_tell_little() -> None:
    """Two classes that differ in one small direction, among noise that is much larger."""
    categories, y = ids(2), DICE.integers(0, 2, 1000)
    vectors = DICE.normal(size=(1000, 384)) * np.where(np.arange(384) < 3, 1.0, 0.001)
    vectors[:, 3] = (y - 0.5) * 0.3
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    given = lessons(vectors, y, categories, {id: axis(9) for id in categories})
    outcome = contest(given)
    assert outcome.kind == REGRESSION
    assert outcome.contest[REGRESSION]["accuracy"] > outcome.contest[CENTROID]["accuracy"]
    assert contest(given) == outcome


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Food and drink", "food-and-drink"), ("TCP/IP", "tcp-ip"), ("C++", "c"), ("Ärzte & Pflege", "ärzte-pflege"),
        ("日本語", "日本語"), ("🚀", "1f680"), ("///", "2f-2f-2f"),
        ("snake_case", "snake-case"), ("x" * 200, "x" * LONGEST),
    ],
)  # fmt: skip
def test_slugs(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_a_slug_that_is_taken_gets_a_number() -> None:
    assert unique("c", {"c", "c-2"}) == "c-3"
    assert unique("c", set()) == "c"
    assert len(unique("x" * LONGEST, {"x" * LONGEST})) == LONGEST


def test_the_default_tree_is_whole() -> None:
    made = rows()
    assert 60 <= len(made) <= 100
    assert len({row["path"] for row in made}) == len({row["id"] for row in made}) == len(made)
    known: set[UUID] = set()
    for row in made:
        assert row["parent_id"] is None or row["parent_id"] in known
        assert row["lineage"][-1] == row["id"]
        assert row["description"]
        known.add(row["id"])


@pytest.mark.performance
def test_classifying_takes_how_long() -> None:
    known = Classifier.of(ids(100), list(DICE.normal(size=(100, 384)).astype(np.float32)), [None] * 100, [0] * 100)
    vector, began = axis(3), process_time()
    for _ in range(1000):
        assert len(known.predict(vector, 5)) == 5
    print(f"classifying with 100 categories: {1000 * (process_time() - began) / 1000:.3f} ms")
