"""Cross-entropy from hidden states and a kernel, against dense float64 on deleted tokens."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import keras_masked as km
from keras_masked.formulas import vocabulary
from tests.backend import BACKEND, compile_, float64, set_mask, tensor, to_numpy
from tests.vocabulary_data import ROWS, WORDS, Data, assert_close, gradients
from tests.vocabulary_oracle import dense

loss_of = km.losses.linear_crossentropy


@pytest.mark.parametrize("outside", [False, True], ids=["inside", "outside"])
@pytest.mark.parametrize(
    ("chunk", "options", "garbage"),
    [
        (None, {}, np.nan),
        (7, {"smoothing": 0.1, "z_loss": 0.01, "cap": 3.0}, np.inf),
        (16, {"smoothing": 0.1}, 1e30),
    ],
)
def test_equals_dense_on_deleted_tokens(
    chunk: int | None, options: Any, garbage: float, outside: bool
) -> None:
    data = Data()
    names = {"smoothing": "label_smoothing", "cap": "soft_cap"}
    named = {names.get(name, name): value for name, value in options.items()}
    expected = data.expected(1.0, data.observed.sum(), **options)
    ids = tensor(data.ids)

    def function(hidden: Any, kernel: Any, bias: Any) -> Any:
        return loss_of(ids, hidden, kernel, bias, chunk=chunk, **named)

    found = gradients(function, data.poisoned(garbage), data.kernel, data.bias, outside=outside)
    assert_close(found, expected)
    np.testing.assert_array_equal(found[1][~data.observed], 0)


@pytest.mark.parametrize(
    "reduction", ["sum_over_batch_size", "mean_with_sample_weight", "sum", "none", "rate"]
)
def test_reductions_with_weights(reduction: str) -> None:
    """Also for the gradient by the weights, and of one value per token."""
    data = Data()
    total, count = data.weight[data.observed].sum(), data.observed.sum()
    divisor = {"mean_with_sample_weight": total, "sum_over_batch_size": count}.get(reduction, 1.0)
    options = {"reduction": reduction}
    if reduction == "rate":
        options, divisor = {"observed_rate": 0.4}, 0.4 * data.ids.size
    weight = data.weight.copy()
    weight[0, 0] = np.nan if not data.observed[0, 0] else weight[0, 0]

    def function(hidden: Any, kernel: Any, bias: Any, weight: Any) -> Any:
        return ops.sum(loss_of(data.ids, hidden, kernel, bias, weight, chunk=5, **options))

    tensors = data.poisoned(), data.kernel, data.bias, weight
    *found, of_weight = gradients(function, *tensors)
    assert_close(found, data.expected(data.weight, divisor))
    if reduction != "mean_with_sample_weight":
        losses, _ = dense(
            data.ids[data.observed], data.hidden[data.observed], data.kernel, data.bias
        )
        np.testing.assert_allclose(of_weight[data.observed], losses / divisor, rtol=1e-5)


def test_nothing_observed_and_little() -> None:
    data = Data()
    nothing = np.full_like(data.ids, -1)
    little = nothing.copy()
    little[2, 1] = 3

    def of(ids: Any) -> list[np.ndarray]:
        data.ids, data.observed = ids, ids >= 0
        given = tensor(ids)  # TensorFlow's XLA takes no turn of the loop for these as a constant
        return gradients(
            lambda *tensors: loss_of(given, *tensors, chunk=4),
            data.poisoned(),
            data.kernel,
            data.bias,
        )

    for found in of(nothing):
        np.testing.assert_array_equal(found, 0)
    assert_close(of(little), data.expected(1.0, 1.0))


@pytest.mark.parametrize("count", [7, 8, 9, 24])
def test_boundaries_of_chunks(count: int) -> None:
    data = Data(flat=True, share=0.0)
    data.ids[count:], data.observed[count:] = -1, False

    def function(hidden: Any, kernel: Any, bias: Any) -> Any:
        return loss_of(data.ids, hidden, kernel, bias, chunk=8)

    found = gradients(function, data.poisoned(), data.kernel, data.bias)
    assert_close(found, data.expected(1.0, count))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(dtype: str) -> None:
    """Operands are rounded, sums are not: not even where gradients are too small for float16."""
    data = Data()
    data.hidden, data.kernel, data.bias = (
        to_numpy(tensor(x, dtype)) for x in (data.hidden, data.kernel, data.bias)
    )
    expected = data.expected(1.0, 1e7)

    def function(hidden: Any, kernel: Any, bias: Any) -> Any:
        loss = loss_of(data.ids, ops.cast(hidden, dtype), kernel, bias, reduction="sum", chunk=5)
        assert keras.backend.standardize_dtype(loss.dtype) == "float32"
        return loss * 1e-7

    tensors = (np.float32(x) for x in (data.poisoned(), data.kernel, data.bias))
    value, of_hidden, of_kernel, of_bias = gradients(function, *tensors)
    assert_close([value], expected[:1], 1e-6)
    precision = {"float16": 2e-3, "bfloat16": 1e-2}[dtype]
    assert_close([of_kernel, of_bias], expected[2:], precision)
    if dtype == "bfloat16":  # by float16 hidden states they underflow, as any gradient would
        assert_close([of_hidden], expected[1:2], precision)


def test_float64() -> None:
    data = Data()
    with float64():
        wide = (x.astype("float64") for x in (data.poisoned(), data.kernel, data.bias))
        hidden, kernel, bias = (tensor(x, "float64") for x in wide)
        found = ops.convert_to_numpy(loss_of(data.ids, hidden, kernel, bias))
    assert found.dtype == "float64"
    assert float(found) == pytest.approx(data.expected(1.0, data.observed.sum())[0], rel=1e-12)


def test_markers_masks_and_class_weights() -> None:
    data = Data()
    expected = data.expected(1.0, data.observed.sum())[0]
    rest = data.poisoned(), data.kernel, data.bias
    ids = np.where(data.observed, data.ids, -100)
    assert float(loss_of(ids, *rest, missing=-100)) == pytest.approx(expected, rel=1e-5)
    ids = np.where(data.observed, data.ids, np.nan).astype("float32")
    assert float(loss_of(ids[..., None], *rest)) == pytest.approx(expected, rel=1e-5)
    ids = np.where(data.observed, data.ids, 0)
    masked = set_mask(rest[0], data.observed)
    assert float(loss_of(ids, masked, *rest[1:])) == pytest.approx(expected, rel=1e-5)
    factors = np.linspace(0.0, 2.0, WORDS)
    expected = data.expected(factors[data.ids], data.observed.sum())[0]
    found = loss_of(data.ids, *rest, class_weights=list(factors))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_divergence_and_strange_ids_are_seen() -> None:
    data = Data()
    row, step = np.argwhere(data.observed)[0]
    hidden = data.poisoned()
    hidden[row, step, 0] = np.nan
    assert np.isnan(float(loss_of(data.ids, hidden, data.kernel)))
    strange = data.ids.copy()
    strange[row, step] = WORDS
    with pytest.raises(ValueError, match=r"class ids outside 0 \.\.\. 10"):
        loss_of(strange, data.hidden, data.kernel)
    assert np.isnan(float(loss_of(tensor(strange), data.hidden, data.kernel)))
    none = to_numpy(loss_of(tensor(strange), data.hidden, data.kernel, reduction="none"))
    assert np.argwhere(np.isnan(none)).tolist() == [[row, step]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel": np.zeros((4, 3), "float32")}, r"kernel\.shape=\(4, 3\)"),
        ({"bias": np.zeros(3, "float32")}, r"bias\.shape=\(3,\)"),
        ({"y_true": np.zeros((5, 4), "int32")}, r"y_true\.shape=\(5, 4\)"),
        ({"hidden": np.zeros((6, 4, 5), "int32")}, "`hidden` must hold floating-point"),
        ({"chunk": 0}, "`chunk` must be a positive integer"),
        ({"soft_cap": 0.0}, "`soft_cap` must be a finite number above 0"),
        ({"z_loss": -1.0}, "`z_loss` must be"),
        ({"label_smoothing": 2.0}, "`label_smoothing` must be"),
        ({"reduction": "min"}, "`reduction` must be one of"),
        ({"observed_rate": 2.0}, "`observed_rate` must be"),
        ({"class_weights": [1.0]}, "one value per class"),
        ({"missing": "none"}, "`missing` must be"),
    ],
)
def test_impossible_arguments(change: Any, message: str) -> None:
    data = Data()
    given = {"y_true": data.ids, "hidden": data.hidden, "kernel": data.kernel, **change}
    with pytest.raises(ValueError, match=message):
        loss_of(**given)


def test_chunk_follows_kernel() -> None:
    assert vocabulary.chunk_of(width=128, words=32768) == 128
    assert vocabulary.chunk_of(width=2560, words=128256) == 2048
    assert vocabulary.chunk_of(width=16, words=50) == 65536
    assert vocabulary.chunk_of(width=1, words=2**23) == 1


@pytest.mark.slow  # each compiles the loop anew
@pytest.mark.skipif(BACKEND != "jax", reason="JAX's transformations")
def test_outer_transformations() -> None:
    """The gradient closes over nothing: in a loop, recomputed, behind a branch, over a batch."""
    import jax
    from jax import numpy as jnp

    data = Data()
    hidden, kernel = tensor(data.poisoned()), tensor(data.kernel)

    def f(hidden: Any, kernel: Any, ids: Any) -> Any:
        return loss_of(ids, hidden, kernel, chunk=5)

    value, expected = jax.value_and_grad(f, 1)(hidden, kernel, data.ids)

    def loop(kernel: Any) -> Any:
        add = lambda total, batch: (total + f(batch[0], kernel, batch[1]), None)  # noqa: E731
        return jax.lax.scan(add, 0.0, (jnp.stack([hidden] * 2), jnp.stack([data.ids] * 2)))[0]

    np.testing.assert_allclose(jax.jit(jax.grad(loop))(kernel), 2 * expected, rtol=1e-5, atol=1e-7)
    again = jax.grad(jax.checkpoint(f), 1)(hidden, kernel, data.ids)
    np.testing.assert_allclose(again, expected, rtol=1e-5, atol=1e-7)
    branch = lambda k: jax.lax.cond(True, f, lambda *_: 0.0, hidden, k, data.ids)  # noqa: E731
    np.testing.assert_allclose(jax.grad(branch)(kernel), expected, rtol=1e-5, atol=1e-7)
    batched = jax.vmap(f, (0, None, 0))(hidden, kernel, tensor(data.ids))
    each = [f(hidden[i], kernel, data.ids[i]) for i in range(ROWS)]
    np.testing.assert_allclose(batched, each, rtol=1e-5)


@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch's transformations and compiler")
def test_outer_transformations_of_torch(monkeypatch: Any) -> None:
    import torch

    from keras_masked._backend import vocabulary_logits

    data = Data()
    hidden, kernel = tensor(data.poisoned()), tensor(data.kernel)
    data.bias[:] = 0
    _, of_hidden, of_kernel, _ = data.expected(1.0, data.observed.sum())
    f = lambda h, k: loss_of(data.ids, h, k, chunk=5)  # noqa: E731
    found = torch.func.grad(f, (0, 1))(hidden, kernel)
    assert_close([to_numpy(x) for x in found], [of_hidden, of_kernel])
    # As on a GPU, where passes over the logits are compiled.
    monkeypatch.setattr(vocabulary_logits, "FUSES", True)
    monkeypatch.setattr(
        vocabulary_logits, "compiled", lambda: compile_(vocabulary_logits.in_one_graph)
    )
    options = {"smoothing": 0.1, "z_loss": 0.01, "cap": 3.0}
    expected = data.expected(1.0, data.observed.sum(), **options)
    f = lambda h, k: loss_of(  # noqa: E731
        data.ids, h, k, label_smoothing=0.1, z_loss=0.01, soft_cap=3.0, chunk=5
    )
    assert_close(gradients(f, data.poisoned(), data.kernel), expected[:3])
    assert vocabulary_logits.FUSES is True
