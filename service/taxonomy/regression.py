"""Multinomial logistic regression that starts from what is known, and L-BFGS that fits it."""

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

MEMORY = 10  # pairs of steps and changes of the gradient that stand for the curvature
ITERATIONS = 200
TOLERANCE = 1e-5  # of the largest component of the gradient
DECREASE = 1e-4  # Armijo's condition: how much of what the slope promises a step must bring


def softmax(logits: Matrix) -> Matrix:
    """Return probabilities, each row (n, classes) adding up to 1."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def loss(weights: Matrix, x: Matrix, y: Labels, start: Matrix, penalty: float) -> tuple[float, Matrix]:
    """Return the penalised cross-entropy and its gradient, (classes, dimensions).

    sum over rows of -log p(y) + penalty / 2 * |weights - start|²: the most probable weights under a normal distribution
    around `start` (Bishop: Pattern Recognition and Machine Learning, 2006, 4.3.4 and 4.5).
    """
    probabilities = softmax(x @ weights.T)
    rows = np.arange(len(y))
    apart = weights - start
    value = -np.log(np.maximum(probabilities[rows, y], 1e-300)).sum() + penalty / 2 * (apart * apart).sum()
    probabilities[rows, y] -= 1
    return float(value), probabilities.T @ x + penalty * apart


def fit(x: Matrix, y: Labels, start: Matrix, penalty: float) -> Matrix:
    """Return the weights, (classes, dimensions), that fit rows (n, dimensions) and their classes best.

    A column of ones in `x` makes a bias of its weight. A class without rows stays near its `start`.
    """
    return minimise(lambda weights: loss(weights, x, y, start, penalty), start)


def minimise(function: Callable[[Matrix], tuple[float, Matrix]], start: Matrix) -> Matrix:
    """Return where a smooth convex function, that gives its value and gradient, is least, by L-BFGS.

    Two-loop recursion and backtracking: Nocedal, Wright: Numerical Optimization, 2006, algorithms 7.4 and 3.1.
    """
    pairs: deque[tuple[Matrix, Matrix, float]] = deque(maxlen=MEMORY)
    point = start
    value, gradient = function(point)
    for _ in range(ITERATIONS):
        if np.abs(gradient).max() < TOLERANCE:
            break
        direction = -_two_loops(gradient, pairs)
        slope = float((gradient * direction).sum())
        step = 1.0 if pairs else 1 / max(1.0, float(np.abs(gradient).sum()))
        while True:
            moved = point + step * direction
            lower, steeper = function(moved)
            if lower <= value + DECREASE * step * slope:
                break
            step /= 2
            if step < 1e-12:
                return point
        change, bend = moved - point, steeper - gradient
        curvature = float((change * bend).sum())
        if curvature > 1e-12:
            pairs.append((change, bend, curvature))
        point, value, gradient = moved, lower, steeper
    return point


def _two_loops(gradient: Matrix, pairs: "deque[tuple[Matrix, Matrix, float]]") -> Matrix:
    """Return the gradient times the inverse of the curvature that the pairs tell of."""
    turned = gradient.copy()
    shares: list[float] = []
    for change, bend, curvature in reversed(pairs):
        shares.append(float((change * turned).sum()) / curvature)
        turned -= shares[-1] * bend
    if pairs:
        _, bend, curvature = pairs[-1]
        turned *= curvature / float((bend * bend).sum())
    for (change, bend, curvature), share in zip(pairs, reversed(shares), strict=True):
        turned += change * (share - float((bend * turned).sum()) / curvature)
    return turned
