"""Special functions that `keras.ops` lacks, each backend's own where it has a good one.

All are right to float32 for arguments from e^-30 to e^30, and have gradients.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

Tensor = Any

_LARGE = 8.0
"""From here on, asymptotic series of gamma functions are exact in float32."""


def lgamma(x: Tensor) -> Tensor:
    """The logarithm of the gamma function, of positive numbers."""
    if keras.config.backend() == "jax":
        import jax

        return jax.lax.lgamma(x)
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        return tf.math.lgamma(x)
    import torch

    return torch.lgamma(x)


def log_ndtr(z: Tensor) -> Tensor:
    """The logarithm of the normal distribution function, however far out.

    TensorFlow has none, and JAX's is off by 2e-5 in float32. There: the complementary error
    function, and from -10 down, where it will underflow, its asymptotic series, right to 1e-13:
    Abramowitz and Stegun 1964, equation 7.1.23. PyTorch's own has slopes that are off by 5 % at
    -1e3, and infinite or NaN at -1e5: the series there, too.
    """
    root = math.sqrt(0.5)
    far, left = z < -10.0, z < -1.0
    safe = ops.where(far, z, -10.0 * ops.ones_like(z))
    square = ops.square(1.0 / safe)
    series = ops.zeros_like(z)
    for odd in range(27, 0, -2):
        series = -odd * square * (1.0 + series)
    tail = ops.log1p(series) - ops.log(-safe) - 0.5 * (ops.square(safe) + math.log(2.0 * math.pi))
    if keras.config.backend() == "torch":
        import torch

        return ops.where(far, tail, torch.special.log_ndtr(ops.where(far, ops.zeros_like(z), z)))
    middle = ops.log(0.5 * ops.erfc(ops.where(left & ~far, -z, ops.ones_like(z)) * root))
    near = ops.log1p(-0.5 * ops.erfc(ops.where(left, ops.zeros_like(z), z) * root))
    return ops.where(far, tail, ops.where(left, middle, near))


def ndtri(probability: Tensor) -> Tensor:
    """The quantile of the standard normal distribution."""
    if keras.config.backend() == "jax":
        import jax.scipy.special

        return jax.scipy.special.ndtri(probability)
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        return tf.math.ndtri(probability)
    import torch

    return torch.special.ndtri(probability)


def log1pmx(x: Tensor, ratio: Tensor) -> Tensor:
    """log(1 + x) - x, exact near 0, where both are the same, and far from it.

    Args:
        x: Numbers above -1.
        ratio: 1 + x, which is better known than from x where x is near -1.
    """
    near = ops.abs(x) < 0.3
    safe = ops.where(near, x, ops.zeros_like(x))
    z = safe / (2.0 + safe)
    square = ops.square(z)
    series = 1 / 3 + square * (1 / 5 + square * (1 / 7 + square * (1 / 9 + square / 11)))
    log = ops.log(ops.where(near, ops.ones_like(ratio), ratio))
    return ops.where(near, z * (2.0 * square * series - safe), log - x)


def expm1mx(x: Tensor) -> Tensor:
    """exp(x) - 1 - x, exact near 0, where nothing of the first order is left."""
    near = ops.abs(x) < 0.5
    safe = ops.where(near, x, ops.zeros_like(x))
    series = ops.ones_like(x)
    for n in range(9, 2, -1):
        series = 1.0 + safe / n * series
    return ops.where(near, 0.5 * ops.square(safe) * series, ops.expm1(x) - x)


def log1mexp(x: Tensor) -> Tensor:
    """log(1 - exp(x)) of negative numbers; -inf at 0, without a slope.

    XLA takes numbers below 1e-38 for 0 in some operations and not in others.
    """
    one = ops.ones_like(x)
    shallow, none = x > -math.log(2.0), x > -1e-37
    small = ops.log(-ops.expm1(ops.where(shallow & ~none, x, -one)))
    found = ops.where(shallow, small, ops.log1p(-ops.exp(ops.where(shallow, -one, x))))
    return ops.where(none, -float("inf") * one, found)


def log_gamma_peak(x: Tensor) -> Tensor:
    """x log x - x - log Gamma(x): the log-density at its peak of the logarithm of a gamma variable.

    What cancels for large x is left out from the beginning.
    """
    large = x >= _LARGE
    small = ops.where(large, ops.ones_like(x), x)
    inverse = 1.0 / ops.where(large, x, _LARGE * ops.ones_like(x))
    square = ops.square(inverse)
    rest = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))
    asymptotic = -0.5 * ops.log(2.0 * math.pi * inverse) - rest
    return ops.where(large, asymptotic, small * ops.log(small) - small - lgamma(small))


def log_beta_peak(a: Tensor, b: Tensor) -> Tensor:
    """a log(a / n) + b log(b / n) - log B(a, b), n = a + b: the same of the logit of a beta's."""
    return log_gamma_peak(a) + log_gamma_peak(b) - log_gamma_peak(a + b)


def log_gamma_half(x: Tensor) -> Tensor:
    """log Gamma(x + 1/2) - log Gamma(x).

    Small numbers are raised by recurrence, which is more exact than a difference of logarithms.
    """
    large = x >= _LARGE
    small = ops.where(large, ops.ones_like(x), x)
    ratio = small / (small + 0.5)
    for n in range(1, int(_LARGE)):
        ratio = ratio * (small + n) / (small + (n + 0.5))
    inverse = 1.0 / ops.where(large, x, small + _LARGE)
    square = ops.square(inverse)
    rest = inverse * (1 / 8 - square * (1 / 192 - square * (1 / 640 - square * 17 / 14336)))
    return -0.5 * ops.log(inverse) - rest + ops.where(large, 0.0 * x, ops.log(ratio))
