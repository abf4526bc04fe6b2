"""Centroids against logistic regression, on labels that neither has seen."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from service.taxonomy.classifier import Classifier, Matrix, Trained, Vectors
from service.taxonomy.evaluation import Labels, accuracy, is_held_out, macro_f1

CENTROID, REGRESSION = "centroid", "logistic_regression"


@dataclass(frozen=True, slots=True)
class Lessons:
    """What there is to learn from: vectors (n, 384) and their categories, and the priors of all categories."""

    resources: list[UUID]
    vectors: Vectors
    categories: list[UUID]
    priors: dict[UUID, Vectors]
    input_hash: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Who won, by which figures, and the winner's parameters where it is not the centroids."""

    kind: str
    contest: dict[str, dict[str, float]]
    labels: int
    held_out: int
    classes: int
    parameters: bytes | None

    def figures(self) -> dict[str, Any]:
        """Return what a task's result says."""
        return {"kind": self.kind, "labels": self.labels, **self.contest[self.kind]}


def contest(lessons: Lessons) -> Outcome:
    """Let both learn from what is not held out, and the one that does better on the rest learn from all of it.

    The better one is more often right; where they are even, the one with the higher macro-F1, then the simpler one.
    """
    ids = sorted({*lessons.priors, *lessons.categories})
    place = {id: number for number, id in enumerate(ids)}
    y = np.array([place[id] for id in lessons.categories])
    held_out = np.array([is_held_out(id) for id in lessons.resources])
    priors = [lessons.priors.get(id) for id in ids]
    x, test, actual = lessons.vectors[~held_out], lessons.vectors[held_out], y[held_out]
    figures: dict[str, dict[str, float]] = {}
    for kind in (CENTROID, REGRESSION):
        predicted = _taught(kind, ids, priors, x, y[~held_out])[0].best(test)
        figures[kind] = {"accuracy": accuracy(actual, predicted), "macro_f1": macro_f1(actual, predicted)}
    won = max((CENTROID, REGRESSION), key=lambda kind: (figures[kind]["accuracy"], figures[kind]["macro_f1"]))
    trained = _taught(won, ids, priors, lessons.vectors, y)[1]
    return Outcome(
        won, figures, len(y), int(held_out.sum()), len(set(lessons.categories)), trained.packed() if trained else None
    )


def _taught(
    kind: str, ids: list[UUID], priors: list[Vectors | None], x: Matrix, y: Labels
) -> tuple[Classifier, Trained | None]:
    """Return a classifier that has learnt rows and their places in `ids`, and what is new about it."""
    centroids: list[Vectors | None] = [
        x[y == place].mean(axis=0) if (y == place).any() else None for place in range(len(ids))
    ]
    counts = [int((y == place).sum()) for place in range(len(ids))]
    simple = Classifier.of(ids, priors, centroids, counts)
    if kind == CENTROID:
        return simple, None
    trained = Trained.on(simple, x, y)
    return Classifier.of(ids, priors, centroids, counts, trained), trained
