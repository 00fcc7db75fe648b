"""Gradients that a loop over chunks of tokens makes itself: how each engine is told of them.

All tensors are arguments of the functions that have a gradient of their own: what JAX's close over
breaks under outer transformations. PyTorch, which compiles no loop, has a pass of its own, in
`vocabulary_torch`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

Tensor = Any
Pass = Callable[..., tuple[list[Tensor], list[Tensor]]]


@dataclasses.dataclass(frozen=True)
class Head:
    """What is made of hidden states and a kernel.

    Attributes:
        chunk: How many tokens' logits are there at once.
        label_smoothing: How far labels are drawn towards all words alike.
        z_loss: Weight of the squared logarithm of the sum of all words' exponentials.
        soft_cap: Logits stay below this, c tanh(z / c); `None` for no such bound.
        ranked: Whether to tell if the token is the most likely word.
    """

    chunk: int
    label_smoothing: float = 0.0
    z_loss: float = 0.0
    soft_cap: float | None = None
    ranked: bool = False


def accumulating(dtype: str) -> str:
    """The dtype of logits and of sums: float32 for half precision."""
    return "float64" if dtype == "float64" else "float32"


def waiting(dtype: str) -> str:
    """The dtype in which gradients wait for the backward pass, which multiplies them.

    Before that, they can be too small for float16.
    """
    return "bfloat16" if dtype == "bfloat16" else accumulating(dtype)


def product(x: Tensor, y: Tensor) -> Tensor:
    """The product of two matrices, summed and returned in float32 where they are of half precision.

    For XLA: on a GPU, products of half precision that were cast before would be slow ones.
    """
    wide = accumulating(keras.backend.standardize_dtype(x.dtype))
    if keras.config.backend() == "jax":
        import jax.numpy

        return jax.numpy.matmul(x, y, preferred_element_type=wide)
    return ops.matmul(ops.cast(x, wide), ops.cast(y, wide))  # TensorFlow's has no such option


def sum_in_one_pass(
    run: Pass,
    hidden: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    shares: Tensor,
    ids: Tensor,
    observed: Tensor | None,
    head: Head,
) -> Any:
    """The sum of the tokens' losses, each times its share, and what `run` returns of tokens.

    The pass that makes the losses makes their gradients, too.
    """
    tensors = (hidden, kernel, bias, shares, ids, observed)
    match keras.config.backend():
        case "jax":
            return _of_jax(run, head)[0](*tensors)
        case "tensorflow":
            return _tensorflow_sum(run, tensors, head)
    from keras_masked._backend import vocabulary_torch

    return vocabulary_torch.sum_in_one_pass(*tensors, head)


def losses_in_two_passes(
    run: Pass,
    hidden: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    ids: Tensor,
    observed: Tensor | None,
    head: Head,
) -> Any:
    """What `run` returns of tokens; the gradient of losses comes of a second pass."""
    tensors = (hidden, kernel, bias, ids, observed)
    match keras.config.backend():
        case "jax":
            return _of_jax(run, head)[1](*tensors)
        case "tensorflow":
            return _tensorflow_losses(run, tensors, head)
    from keras_masked._backend import vocabulary_torch

    return vocabulary_torch.losses_in_two_passes(*tensors, head)


def greatest(shares: Tensor) -> Tensor:
    """The greatest share by size, by which all are divided; 1 where all are 0."""
    size = ops.max(ops.abs(shares), initial=0.0)
    return ops.where(size == 0, ops.ones_like(size), size)


def _scaled(slopes: list[Tensor], factor: Tensor, dtypes: tuple[str, ...]) -> list[Tensor]:
    wide = [ops.cast(each, factor.dtype) * factor for each in slopes]
    return [ops.cast(each, dtype) for each, dtype in zip(wide, dtypes, strict=True)]


def _dtypes(hidden: Tensor, kernel: Tensor, bias: Tensor | None) -> tuple[str, ...]:
    given = [hidden, kernel] if bias is None else [hidden, kernel, bias]
    return tuple(keras.backend.standardize_dtype(each.dtype) for each in given)


@functools.cache
def _of_jax(run: Pass, head: Head) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Both functions. They are kept, so that calls outside `jit` compile the loop once."""
    import jax

    def _pass(*tensors: Any) -> Any:
        return run(*tensors, head)

    compiled = jax.jit(_pass)

    @jax.custom_vjp
    def once(hidden: Any, kernel: Any, bias: Any, shares: Any, ids: Any, observed: Any) -> Any:
        tokens, _ = compiled(hidden, kernel, bias, None, ids, observed)
        return ops.sum(shares * tokens[0]), *tokens

    def once_forward(
        hidden: Any, kernel: Any, bias: Any, shares: Any, ids: Any, observed: Any
    ) -> Any:
        size = greatest(shares)
        tokens, slopes = compiled(hidden, kernel, bias, shares / size, ids, observed)
        kept = _kept(hidden, kernel, bias)
        return (ops.sum(shares * tokens[0]), *tokens), (slopes, size, tokens[0], kept)

    def once_backward(saved: Any, upstream: Any) -> Any:
        slopes, size, losses, kept = saved
        of_shares = losses * upstream[0]
        return (*_back(slopes, size * upstream[0], kept), of_shares, None, None)

    once.defvjp(once_forward, once_backward)

    @jax.custom_vjp
    def twice(hidden: Any, kernel: Any, bias: Any, ids: Any, observed: Any) -> Any:
        return tuple(compiled(hidden, kernel, bias, None, ids, observed)[0])

    def twice_forward(*tensors: Any) -> Any:
        return twice(*tensors), tensors

    def twice_backward(tensors: Any, upstream: Any) -> Any:
        hidden, kernel, bias, ids, observed = tensors
        size = greatest(upstream[0])
        shares = upstream[0] / size
        _, slopes = compiled(hidden, kernel, bias, shares, ids, observed)
        return (*_back(slopes, size, _kept(hidden, kernel, bias)), None, None)

    twice.defvjp(twice_forward, twice_backward)
    return once, twice


def _kept(*tensors: Any) -> Any:
    """Of tensors, what is needed of their dtypes, as tensors of nothing."""
    return [None if each is None else ops.zeros((0,), each.dtype) for each in tensors]


def _back(slopes: list[Tensor], factor: Tensor, kept: list[Tensor]) -> list[Tensor]:
    found = _scaled(slopes, factor, _dtypes(*kept))
    return found if len(found) == 3 else [*found, None]


def _read(x: Any) -> Any:
    import tensorflow as tf

    return None if x is None else tf.convert_to_tensor(x)


def _tensorflow_sum(run: Pass, tensors: tuple[Tensor, ...], head: Head) -> Any:
    import tensorflow as tf

    # Of a variable that is read inside, TensorFlow wants to be told apart.
    hidden, kernel, bias, shares, ids, observed = map(_read, tensors)

    @tf.custom_gradient
    def once(*differentiable: Any) -> Any:
        hidden, kernel, shares, *rest = differentiable
        bias = rest[0] if rest else None
        size = greatest(shares)
        tokens, slopes = run(hidden, kernel, bias, shares / size, ids, observed, head)
        dtypes = _dtypes(hidden, kernel, bias)

        def gradient(upstream: Any, *others: Any) -> Any:
            of_hidden, of_kernel, *of_bias = _scaled(slopes, size * upstream, dtypes)
            return (of_hidden, of_kernel, tokens[0] * upstream, *of_bias)

        return (ops.sum(shares * tokens[0]), *tokens), gradient

    return once(hidden, kernel, shares, *(() if bias is None else (bias,)))


def _tensorflow_losses(run: Pass, tensors: tuple[Tensor, ...], head: Head) -> Any:
    import tensorflow as tf

    hidden, kernel, bias, ids, observed = map(_read, tensors)

    @tf.custom_gradient
    def twice(*differentiable: Any) -> Any:
        hidden, kernel, *rest = differentiable
        bias = rest[0] if rest else None

        def gradient(upstream: Any, *others: Any) -> Any:
            size = greatest(upstream)
            _, slopes = run(hidden, kernel, bias, upstream / size, ids, observed, head)
            return tuple(_scaled(slopes, size, _dtypes(hidden, kernel, bias)))

        tokens, _ = run(hidden, kernel, bias, None, ids, observed, head)
        return tuple(tokens), gradient

    return twice(hidden, kernel, *(() if bias is None else (bias,)))
