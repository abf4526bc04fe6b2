"""Scores of categories for a vector: how near it is to what is in each, and to what each is called."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from service.inference import DIMENSIONS
from service.taxonomy.regression import fit, softmax

Vectors = NDArray[np.float32]
Matrix = NDArray[np.floating]
Labels = NDArray[np.int64]

PRIOR = 4.0  # labels that the name and description of a category are worth
TEMPERATURE = 0.05  # of the softmax over cosines
PENALTY = 0.5  # of the regression, for leaving its start


@dataclass(frozen=True, slots=True)
class Trained:
    """Weights (classes, 384) and biases of a logistic regression, for the categories that it has seen."""

    ids: list[UUID]
    weights: Vectors
    biases: Vectors

    @classmethod
    def on(cls, start: "Classifier", x: Matrix, y: Labels) -> Self:
        """Fit the categories that occur in `y`, places in `start.ids`, from where their centroids and priors are."""
        seen = np.unique(y)
        rows = np.hstack([x, np.ones((len(x), 1))]).astype(np.float64)
        begin = np.hstack([start.weights[seen], start.biases[seen, None]]).astype(np.float64)
        found = fit(rows, np.searchsorted(seen, y), begin, PENALTY).astype(np.float32)
        return cls([start.ids[place] for place in seen], found[:, :-1], found[:, -1])

    def packed(self) -> bytes:
        """Return it as the bytes of a NumPy archive."""
        file = io.BytesIO()
        ids = np.frombuffer(b"".join(id.bytes for id in self.ids), dtype=np.uint8).reshape(-1, 16)
        np.savez(file, ids=ids, weights=self.weights, biases=self.biases)
        return file.getvalue()

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """Read what `packed` returned."""
        with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
            return cls([UUID(bytes=row.tobytes()) for row in stored["ids"]], stored["weights"], stored["biases"])


@dataclass(frozen=True, slots=True)
class Classifier:
    """A linear classifier of unit vectors: one row of weights, and one bias, per category."""

    ids: list[UUID]
    weights: Vectors
    biases: Vectors

    @classmethod
    def of(
        cls,
        ids: Sequence[UUID],
        priors: Sequence[Vectors | None],
        centroids: Sequence[Vectors | None],
        counts: Sequence[int],
        trained: Trained | None = None,
    ) -> Self:
        """Make one of each category's prior and centroid of so many labels; a trained row takes their place.

        A class is where its labelled texts are on average, its name counting as `PRIOR` of them; the score is the
        cosine over the temperature (Snell et al.: Prototypical Networks, 2017, with the prior of Rocchio's query).
        """
        rows = np.zeros((len(ids), DIMENSIONS), dtype=np.float32)
        for row, prior, centroid, count in zip(rows, priors, centroids, counts, strict=True):
            row += 0 if prior is None else np.float32(PRIOR) * prior
            row += 0 if centroid is None else np.float32(count) * centroid
        rows /= TEMPERATURE * np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        made = cls(list(ids), rows, np.zeros(len(ids), dtype=np.float32))
        if trained is not None:
            place = {id: number for number, id in enumerate(ids)}
            for id, weights, bias in zip(trained.ids, trained.weights, trained.biases, strict=True):
                if (number := place.get(id)) is not None:
                    made.weights[number], made.biases[number] = weights, bias
        return made

    @classmethod
    def empty(cls) -> Self:
        """Return one that knows no category."""
        return cls.of([], [], [], [])

    def logits(self, vectors: Matrix) -> Matrix:
        """Return the scores, (n, categories), of vectors (n, 384)."""
        return vectors @ self.weights.T + self.biases

    def best(self, vectors: Matrix) -> Labels:
        """Return the place in `ids` of the most likely category of each of the vectors (n, 384)."""
        return self.logits(vectors).argmax(axis=1)

    def predict(self, vector: Vectors, most: int) -> list[tuple[UUID, float]]:
        """Return the most likely categories of a vector (384,), best first, with probabilities of four digits."""
        if not self.ids:
            return []
        shares = softmax(self.logits(vector).astype(np.float64))
        best = np.argsort(-shares, kind="stable")[:most]
        return [(self.ids[place], round(float(shares[place]), 4)) for place in best]
