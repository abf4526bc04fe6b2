"""How good a classifier is: what is held out, the share that is right, and the same for each class alike."""

from hashlib import sha256
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

SHARE = 5  # one of so many is held out

Labels = NDArray[np.int64]


def is_held_out(resource_id: UUID) -> bool:
    """Tell whether a resource is kept for the test: the same ones in every run, and whatever else is labelled."""
    return sha256(resource_id.bytes).digest()[0] % SHARE == 0


def accuracy(actual: Labels, predicted: Labels) -> float:
    """Return the share of rows that are right, 0..1."""
    return float((actual == predicted).mean()) if len(actual) else 0.0


def macro_f1(actual: Labels, predicted: Labels) -> float:
    """Return the mean over the classes that occur of 2tp / (2tp + fp + fn), 0..1 (Manning et al.: IIR, 2008, 13.6)."""
    scores: list[float] = []
    for one in np.union1d(actual, predicted):
        true_positive = int(((actual == one) & (predicted == one)).sum())
        wrong = int((actual == one).sum() + (predicted == one).sum()) - 2 * true_positive
        scores.append(2 * true_positive / (2 * true_positive + wrong))
    return float(np.mean(scores)) if scores else 0.0
