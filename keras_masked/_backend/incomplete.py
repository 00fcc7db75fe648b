"""Incomplete gamma and beta functions, by the logarithms of both tails.

No backend has these logarithms, and only some have the functions, or slopes by all arguments. So
they are computed here, the same everywhere: the logarithm of a gamma variable and the logit of a
beta variable have densities whose logarithms are concave, which fall off from a point away from the
peak at least exponentially. The integral of that, over the length in which it falls by e^-17, is
the sum of 24 values at fixed nodes of Gauss and Legendre, of d = length v^2: right to about 1e-6 of
itself, in any tail, and to 5e-4 for shapes below 0.02, with slopes by automatic differentiation.
Memory is 24 times that of labels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from keras_masked._backend.special import (
    expm1mx,
    log1mexp,
    log1pmx,
    log_beta_peak,
    log_gamma_peak,
)
from keras_masked._backend.tensors import amax, maximum, minimum

Tensor = Any

DROP = 17.0
NODES = 24
NEAR = 0.7
"""A tail may begin on the other side of the peak, if the density rises less than e^0.7 to it."""
FAR = 6.0
"""And, of a beta variable, if it is no more than this away: on either side all may be flat."""


def gauss_legendre(nodes: int) -> tuple[list[float], list[float]]:
    """Nodes in (0, 1) and weights, as numbers: compilers of PyTorch do not know NumPy's."""
    x, weight = np.polynomial.legendre.leggauss(nodes)
    return (0.5 * (x + 1.0)).tolist(), (0.5 * weight).tolist()


_V, _WEIGHT = gauss_legendre(NODES)
_SQUARES = [v**2 for v in _V]
_LOG_WEIGHT = [math.log(2.0 * v * w) for v, w in zip(_V, _WEIGHT, strict=True)]


def _nodes(dtype: Any) -> tuple[Tensor, Tensor]:
    return ops.convert_to_tensor(_SQUARES, dtype), ops.convert_to_tensor(_LOG_WEIGHT, dtype)


def _root(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """The positive root of a x^2 + b x - 2 c, without cancellation."""
    root = ops.sqrt(ops.square(b) + 8.0 * a * c)
    above = b > 0
    return ops.where(
        above, 4.0 * c / ops.where(above, b + root, root + 1.0), (root - b) / (2.0 * a)
    )


def _log_sum(log_values: Tensor) -> Tensor:
    top = ops.stop_gradient(amax(log_values, -1))
    return ops.log(ops.sum(ops.exp(log_values - top[..., None]), axis=-1)) + top


def log_gamma_density(shape: Tensor, ratio: Tensor) -> Tensor:
    """Log-density of log(x), x a gamma variable of this shape and mean `shape`, ratio x / shape."""
    return shape * log1pmx(ratio - 1.0, ratio) + log_gamma_peak(shape)


def log_gamma_tails(shape: Tensor, ratio: Tensor) -> tuple[Tensor, Tensor]:
    """Logarithms of P(shape, x) and Q(shape, x), the regularized incomplete gamma functions.

    Args:
        shape: The first argument, above 0.
        ratio: The second one as x / shape, above 0.
    """
    one = ops.ones_like(shape)
    cut = DROP / shape
    log_ratio = ops.log(ratio)
    below = (ratio < 1) & ((shape > 1) | (shape * log_ratio < -NEAR))
    # exp(-d) - 1 + d is at least d^2 / (2 + d); exp(d) - 1 - d, d^2 / 2.
    left = _root(one, 2.0 * (1.0 - minimum(ratio, one)) - cut, cut)
    up = maximum(ratio, one)
    rise = 1.0 - 1.0 / up
    cut = cut / up
    right = minimum(
        2.0 * cut / (rise + ops.sqrt(ops.square(rise) + 2.0 * cut)),
        ops.log1p(cut + ops.sqrt(2.0 * cut)),
    )
    right = right + maximum(-log_ratio, ops.zeros_like(one))
    length = ops.stop_gradient(ops.where(below, left, right))[..., None]
    d, log_weight = _nodes(shape.dtype)
    d = ops.where(below, -one, one)[..., None] * length * d
    ratio_ = ratio[..., None]
    fall = shape[..., None] * ((ratio_ - 1.0) * d + ratio_ * expm1mx(d))
    density = log_gamma_density(shape, ratio)
    tail = density + ops.log(length[..., 0]) + _log_sum(log_weight - fall)
    tail = minimum(tail, ops.zeros_like(tail))
    return _both(below, tail)


def log_beta_density(a: Tensor, b: Tensor, x: tuple[Tensor, ...], y: tuple[Tensor, ...]) -> Tensor:
    """Log-density of logit(x), x a beta variable; arguments as of `log_beta_tails`."""
    return a * log1pmx(x[1], x[2]) + b * log1pmx(y[1], y[2]) + log_beta_peak(a, b)


def log_beta_tails(
    a: Tensor, b: Tensor, x: tuple[Tensor, ...], y: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor]:
    """Logarithms of I_x(a, b) and 1 - I_x(a, b), the regularized incomplete beta functions.

    Args:
        a: The first argument, above 0.
        b: The second one, above 0.
        x: x, x / m - 1 and x / m, with m = a / (a + b), each as exact as can be.
        y: The same of 1 - x and 1 - m.
    """
    before, behind = ops.log(x[2]), ops.log(y[2])
    rises_before = (a < 1) & (b > a) & (a * before > -NEAR) & (before > -FAR)
    rises_behind = (b < 1) & (a > b) & (b * behind > -NEAR) & (behind > -FAR)
    below = x[1] < 0
    below = ops.where(below, ops.logical_not(rises_before), rises_behind)
    # From here on towards x = 0, by the symmetry of both functions.
    first, second = ops.where(below, a, b), ops.where(below, b, a)
    near, far = (ops.where(below, x[i], y[i]) for i in range(3)), ops.where(below, y[0], x[0])
    here, excess, ratio = near
    total = a + b
    cut, share = DROP / total, first / total
    inside = excess < 0
    start = ops.where(inside, here, share)
    rest = ops.where(inside, far, second / total)
    slope = -share * ops.where(inside, excess, ops.zeros_like(excess))
    length = _root(share * rest, 2.0 * slope - cut * rest, cut)
    least = ops.log(maximum(rest, 1e-37 * ops.ones_like(rest)))  # of log(moved), below
    length = minimum(length, (DROP - total * least) / first)
    for _ in range(4):  # towards the root of a convex function, from beyond
        moved, inner = rest + start * ops.exp(-length), start * ops.expm1(-length)
        near = inner > -0.5  # where log(moved) would be rounded, and log1p elsewhere
        log = ops.where(near, ops.log1p(ops.where(near, inner, 0.0 * inner)), ops.log(moved))
        value = first * length + total * log
        grade = first - total * start * ops.exp(-length) / moved
        step = (value - DROP) / maximum(grade, 1e-30 * ops.ones_like(grade))
        length = maximum(length - step, 0.25 * length)
    sound = (length > 0) & (length < 1e30)  # False for NaN, of what is beyond float32
    length = ops.where(sound, length, minimum(DROP / first, 1e30 * ops.ones_like(first)))
    way = ops.log(ratio) - ops.log(far * total / second)  # from the peak to here, if it is before
    length = length + ops.where(inside, ops.zeros_like(way), way)
    length = ops.stop_gradient(length)[..., None]
    d, log_weight = _nodes(a.dtype)
    d = length * d
    curve = _curve(here[..., None], far[..., None], d)
    fall = -first[..., None] * excess[..., None] * d + total[..., None] * curve
    tail = log_beta_density(a, b, x, y) + ops.log(length[..., 0]) + _log_sum(log_weight - fall)
    tail = minimum(tail, ops.zeros_like(tail))
    return _both(below, tail)


def _curve(x: Tensor, y: Tensor, d: Tensor) -> Tensor:
    """log(y + x exp(-d)) + x d, y = 1 - x, where nothing of the first order is left."""
    other = (y < x) & (d < -ops.log(y))
    inner = x * ops.expm1(-d)
    found = log1pmx(inner, y + x * ops.exp(-d)) + x * expm1mx(-d)
    d = ops.where(other, d, ops.zeros_like(d))
    inner = y * ops.expm1(d)
    return ops.where(other, log1pmx(inner, 1.0 + inner) + y * expm1mx(d), found)


def _both(below: Tensor, tail: Tensor) -> tuple[Tensor, Tensor]:
    other = log1mexp(tail)
    return ops.where(below, tail, other), ops.where(below, other, tail)
