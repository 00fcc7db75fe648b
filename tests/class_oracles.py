"""The authors' equations of losses of classes, in float64 NumPy, and as Keras would have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from tests import oracles

Array = np.ndarray


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def asymmetric(negative: float, positive: float, margin: float) -> Callable[..., Array]:
    """Ridnik et al. 2021."""

    def loss(y: Array, p: Array) -> Array:
        shifted = np.maximum(p - margin, 0)
        l_positive = (1 - p) ** positive * np.log(p)
        l_negative = shifted**negative * np.log(1 - shifted)
        return -y * l_positive - (1 - y) * l_negative

    return loss


def asymmetric_of_logits(*options: float) -> Callable[..., Array]:
    return lambda y, z: asymmetric(*options)(y, sigmoid(z))


def plain_asymmetric(
    negative: float, positive: float, margin: float, logits: bool = False
) -> Callable[..., Any]:
    def loss(y: Any, p: Any) -> Any:
        p = ops.sigmoid(p) if logits else p
        shifted = ops.relu(p - margin)
        l_positive = (1 - p) ** positive * ops.log(p)
        return -y * l_positive - (1 - y) * shifted**negative * ops.log(1 - shifted)

    return loss


def symmetric(alpha: float, beta: float) -> Callable[..., Array]:
    """Wang et al. 2019, of one-hot rows."""

    def loss(y: Array, p: Array) -> Array:
        log_y = np.full(y.shape, -4.0)
        log_y[y > 0] = np.log(y[y > 0])
        reverse = -(p * log_y).sum(-1)
        return alpha * oracles.categorical_crossentropy(y, p) + beta * reverse

    return loss


def symmetric_of_ids(alpha: float, beta: float) -> Callable[..., Array]:
    return lambda y, p: symmetric(alpha, beta)(np.eye(p.shape[-1])[y.astype(int)], p)


def symmetric_of_logits(alpha: float, beta: float) -> Callable[..., Array]:
    def loss(y: Array, z: Array) -> Array:
        e = np.exp(z - z.max(-1, keepdims=True))
        return symmetric(alpha, beta)(y, e / e.sum(-1, keepdims=True))

    return loss


def plain_symmetric(
    alpha: float, beta: float, ids: bool = False, logits: bool = False
) -> Callable[..., Any]:
    def rows(y: Any, p: Any) -> Any:
        p = ops.softmax(p) if logits else p
        if ids:
            y = ops.one_hot(ops.cast(y, "int32"), p.shape[-1], dtype=p.dtype)
        forward = -ops.sum(y * ops.log(p / ops.sum(p, axis=-1, keepdims=True)), axis=-1)
        return alpha * forward + beta * ops.sum(p * 4 * (1 - y), axis=-1)

    return rows


def cumulative(y: Array, z: Array) -> Array:
    """Cao et al. 2020, with weights of 1."""
    total = np.zeros(len(y))
    for k in range(z.shape[-1]):
        above, p = y > k, sigmoid(z[:, k])
        total -= np.log(p) * above + np.log(1 - p) * (1 - above)
    return total


def corn(y: Array, z: Array) -> Array:
    """Shi et al. 2021: task k has the examples of classes from k on."""
    total = np.zeros(len(y))
    for k in range(z.shape[-1]):
        task = y > k - 1
        above, p = y[task] > k, sigmoid(z[task, k])
        total[task] -= np.log(p) * above + np.log(1 - p) * (1 - above)
    return total


def plain_ordinal(conditional: bool) -> Callable[..., Any]:
    def rows(y: Any, z: Any) -> Any:
        y, k = ops.expand_dims(y, -1), ops.arange(z.shape[-1], dtype=z.dtype)
        above = ops.cast(y > k, z.dtype)
        losses = above * ops.softplus(-z) + (1 - above) * ops.softplus(z)
        return ops.sum(losses * ops.cast(y >= k, z.dtype) if conditional else losses, axis=-1)

    return rows


def smoothed(losses: Callable[..., Array], s: float) -> Callable[..., Array]:
    """Of class ids, a share `s` of whose one-hot rows is spread over all classes."""

    def loss(y: Array, p: Array) -> Array:
        classes = p.shape[-1]
        each = [losses(np.full(len(y), c), p) for c in range(classes)]
        return (1 - s) * losses(y, p) + s * np.mean(each, axis=0)

    return loss


def plain_smoothed(s: float, logits: bool = False) -> Callable[..., Any]:
    def rows(y: Any, p: Any) -> Any:
        y = ops.one_hot(ops.cast(y, "int32"), p.shape[-1], dtype=p.dtype)
        p = ops.softmax(p) if logits else p / ops.sum(p, axis=-1, keepdims=True)
        return -ops.sum((y * (1 - s) + s / p.shape[-1]) * ops.log(p), axis=-1)

    return rows
