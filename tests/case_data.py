"""How labels and predictions are drawn, complete: (rng, shape of the labels) -> (y, p)."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray


def reals(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    y = rng.normal(size=shape)
    return y, y + rng.normal(size=shape)


def grid_reals(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Multiples of 1/8 below 16, as are their differences: exact in half precision, too."""
    y = rng.integers(-40, 41, shape) / 8
    return y, y + rng.integers(-60, 61, shape) / 8


def binary(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    y = (rng.random(shape) < 0.5).astype("float64")
    y.flat[:2] = [0, 1]
    # Away from 0.5, and on a grid of 1/199: thresholded and ranked alike in any precision.
    return y, rng.choice([i for i in range(2, 198) if not 97 < i < 102], size=shape) / 199


def binary_logits(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    return binary(rng, shape)[0], 3 * rng.normal(size=shape)


def one_hot(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    ids, p = class_ids(rng, shape)
    return np.eye(4)[ids.astype(int)], p


def one_hot_logits(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    return one_hot(rng, shape)[0], 3 * rng.normal(size=(*shape, 4))


def class_ids(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    p = rng.random((*shape, 4)) + 0.05
    return rng.integers(0, 4, shape).astype("float64"), p / p.sum(-1, keepdims=True)


def informed_class_ids(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Half of each prediction knows the label: of skill that is not almost 0."""
    ids, p = class_ids(rng, shape)
    return ids, (p + np.eye(4)[ids.astype(int)]) / 2


def informed_one_hot(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    ids, p = informed_class_ids(rng, shape)
    return np.eye(4)[ids.astype(int)], p


def class_ids_on_grid(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Scores in steps of 1/64: equal ones are, and no bin holds different ones."""
    return class_ids(rng, shape)[0], rng.integers(1, 64, size=(*shape, 4)) / 64


def one_hot_on_grid(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    ids, p = class_ids_on_grid(rng, shape)
    return np.eye(4)[ids.astype(int)], p


def binary_logits_on_grid(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    return binary(rng, shape)[0], rng.integers(-40, 41, size=shape) / 8


def class_ids_logits(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    return class_ids(rng, shape)[0], 3 * rng.normal(size=(*shape, 4))


def positives(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    return rng.gamma(2.0, size=shape) + 0.5, rng.gamma(2.0, size=shape) + 0.5


def signs(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    y = rng.choice([-1.0, 1.0], size=shape)
    y.flat[:2] = [-1, 1]
    return y, rng.normal(size=shape)


def distributions(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    y, p = (rng.random((*shape, 4)) + 0.1 for _ in range(2))
    return y / y.sum(-1, keepdims=True), p / p.sum(-1, keepdims=True)


def binary_off_grid(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Between the thresholds i / 199, in half precision, too."""
    y, p = binary(rng, shape)
    return y, p + 0.5 / 199


def id_pairs(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    y, p = (rng.integers(0, 4, shape).astype("float64") for _ in range(2))
    return y, np.where(rng.random(shape) < 0.5, y, p)


def vectors(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    return rng.normal(size=(*shape, 4)), rng.normal(size=(*shape, 4))


def boxes(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Of side 0.5 to 1.5, shifted so that about half of the pairs overlap."""

    def draw() -> Array:
        corner = rng.uniform(0, 1.5, size=(*shape, 2))
        return np.concatenate([corner, corner + rng.uniform(0.5, 1.5, size=(*shape, 2))], axis=-1)

    return draw(), draw()


def apart_from_0(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    y, p = positives(rng, shape)
    sign = rng.choice([-1.0, 1.0], size=shape)
    return sign * y, sign * p


def gaussians(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Labels, and a mean and log-variance predicted for each."""
    y, p = reals(rng, shape)
    return y, np.stack([p, rng.normal(size=shape)], axis=-1)


def mixtures(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Labels, and of two Gaussians a logit, a mean and a log-variance."""
    y, p = reals(rng, shape)
    return y, np.stack([p if i % 3 == 1 else rng.normal(size=shape) for i in range(6)], axis=-1)


def one_hot_and_variance(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    y, p = one_hot_logits(rng, shape)
    return y, np.stack([p / 2, rng.normal(size=p.shape)], axis=-1)


def binary_and_variance(rng: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    y, p = binary_logits(rng, shape)
    return y, np.stack([p / 2, rng.normal(size=p.shape)], axis=-1)
