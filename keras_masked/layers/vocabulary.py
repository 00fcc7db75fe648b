"""The last layer of a language model: a loss whose logits are never all there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from keras_masked import _backend, serialization
from keras_masked.layers.base import StrictLayer, register
from keras_masked.losses.vocabulary import LinearOptions, linear_values
from keras_masked.observation import CLASS_IDS, Missing, reject_arrays
from keras_masked.validation import BOOLEAN, POSITIVE_INTEGER, Reduction, optional

Tensor = Any


class _Report(keras.metrics.Metric):
    """Shows what a layer has counted; the layer has the state.

    Keras's trainer on JAX drops what a layer adds to the state of metrics. A weight of the layer it
    keeps, but reads it inside of a compiled step as it was before: there, the report is NaN, and
    right at the end of an epoch and of `evaluate`.
    """

    def __init__(self, layer: Any, name: str, value: Callable[[Tensor], Tensor]) -> None:
        super().__init__(name=name, dtype="float32")
        self.counts = layer.counts
        self.value = value

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the layer counts when it is called."""

    def result(self) -> Tensor:
        """Returns the value over all tokens since the last reset; NaN where there are none."""
        counts = self.counts()
        if _backend.is_stale(counts):
            return ops.convert_to_tensor(float("nan"), dtype="float32")
        sums = ops.sum(ops.convert_to_tensor(counts), axis=0)
        return self.value(sums)

    def reset_state(self) -> None:
        """Forgets all tokens."""
        counts = self.counts()
        if counts is not None:
            counts.assign(ops.zeros(counts.shape, counts.dtype))


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    return numerator / ops.where(denominator == 0, float("nan"), denominator)


@register
class LinearCrossentropy(StrictLayer):
    r"""Adds the cross-entropy of words to a model's losses, from hidden states and a kernel.

    $$L = \frac{\sum_i o_i w_i \, \ell_i}{\sum_i o_i}, \quad
      \ell_i = \log\sum_v e^{z_{iv}} - z_{i y_i} + \zeta \left(\log\sum_v e^{z_{iv}}\right)^2,
      \quad z_i = x_i W + b$$

    with $o_i$ 1 where token $i$ is observed, else 0, and $w_i$ its weight. It stands for a `Dense`
    layer of logits and their loss, but never holds the logits: see `losses.linear_crossentropy`.
    Ids are an input of the model that is trained; the model that predicts calls the same layer with
    hidden states alone, and gets logits::

        tokens, ids = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
        embedding = keras.layers.ReversibleEmbedding(50_000, 256)
        hidden = decoder(embedding(tokens))
        head = km.layers.LinearCrossentropy(kernel=embedding, missing=-100)
        model = keras.Model([tokens, ids], head([ids, hidden]))
        model.compile("adam")
        model.fit([tokens, ids])
        predictor = keras.Model(tokens, head(hidden))

    The model logs `perplexity` and `accuracy` of the observed tokens, from the same pass, without
    what smoothing and z-loss add. On JAX they are NaN inside of an epoch, and right at its end.

    Args:
        vocabulary: Number of words; not needed with `kernel`.
        kernel: A layer whose kernel to use, which is trained along: a `ReversibleEmbedding`, an
            `Embedding`, or a `Dense` without activation, whose bias is used, too. By default, the
            layer has a kernel of its own.
        bias: Whether the layer has a bias of its own.
        label_smoothing: Float in [0, 1]: how far labels are drawn towards all words alike.
        z_loss: Weight of the squared logarithm of the sum of exponentials.
        soft_cap: Logits are c tanh(z / c); by default as they are, or as the `kernel` layer has it.
        class_weights: Weights of the words, one each, that multiply those of tokens.
        reduction: As of losses, but not `"none"`.
        observed_rate: The expected share of observed tokens, to divide by instead of the count.
        chunk: How many tokens to take at once; by default as many as suit the kernel.
        missing: Which ids are missing: a number, `"nan"`, or a tuple of these.
        kernel_initializer: Initializer of the layer's own kernel.
        **kwargs: `name=`, `dtype=` and so on, of every Keras layer.

    Shapes: a list of ids `(...)` and hidden states `(..., width)`, and if wanted weights of tokens
    `(...)`; the output is the plain cross-entropy of each token `(...)`, 0 where it is missing, and
    has no gradient. Or hidden states alone; the output is logits `(..., words)`.

    Raises:
        ValueError: If nothing says how many words there are, if `vocabulary` and `kernel` say it
            differently, or if `kernel` is no such layer.

    Example:

    >>> layer = keras_masked.layers.LinearCrossentropy(4, kernel_initializer="zeros")
    >>> ids, hidden = np.array([[1, -1]]), np.array([[[1.0], [np.nan]]], "float32")
    >>> [[round(float(x), 4) for x in row] for row in layer([ids, hidden])]  # log 4
    [[1.3863, 0.0]]
    >>> round(float(keras.ops.convert_to_numpy(layer.losses[0])), 4)
    1.3863
    >>> layer(hidden).shape == (1, 2, 4)
    True

    Source: Wijmans et al. 2024, "Cut your losses in large-vocabulary language models".
    """

    def __init__(
        self,
        vocabulary: int | None = None,
        kernel: Any = None,
        bias: bool = False,
        label_smoothing: float = 0.0,
        z_loss: float = 0.0,
        soft_cap: float | None = None,
        class_weights: Sequence[float] | None = None,
        reduction: Reduction = "sum_over_batch_size",
        observed_rate: float | None = None,
        chunk: int | None = None,
        missing: Missing = CLASS_IDS,
        kernel_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        # Half precision would lose ids, and digits of the kernel's gradient.
        super().__init__(**{"autocast": False, **kwargs})
        self.supports_masking = True
        mine = type(self).__name__
        if isinstance(kernel, dict):
            kernel = keras.saving.deserialize_keras_object(kernel)
        self.vocabulary = optional(POSITIVE_INTEGER)(mine, "vocabulary", vocabulary)
        self.kernel_layer = kernel
        words = _words(kernel)
        if words is None and vocabulary is None:
            raise ValueError(
                f"{mine} needs to know the number of words: pass `vocabulary=`, or the layer that "
                "has the kernel as `kernel=`. Received: vocabulary=None, kernel=None"
            )
        if None not in (words, vocabulary) and words != vocabulary:
            raise ValueError(
                f"Argument `vocabulary` must be the number of words of `kernel`, {words}, or None. "
                f"Received: vocabulary={vocabulary!r}"
            )
        self.words = vocabulary if words is None else words
        self.use_bias = BOOLEAN(mine, "bias", bias)
        if self.use_bias and getattr(kernel, "use_bias", False):
            raise ValueError(
                "Argument `bias` must be False where the `kernel` layer has a bias. "
                "Received: bias=True"
            )
        if reduction in (None, "none"):
            raise ValueError(
                "Argument `reduction` must make a single number of all tokens. "
                f"Received: reduction={reduction!r}"
            )
        self.options = LinearOptions(
            missing,
            reduction,
            observed_rate,
            class_weights,
            label_smoothing,
            z_loss,
            soft_cap if soft_cap is not None else getattr(kernel, "logit_soft_cap", None),
            chunk,
        ).checked()
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self._counts: Any = None
        self._reports = [
            _Report(self, "perplexity", lambda sums: ops.exp(_ratio(sums[0], sums[2]))),
            _Report(self, "accuracy", lambda sums: _ratio(sums[1], sums[2])),
        ]

    def counts(self) -> Any:
        """The sums so far: of cross-entropies, hits and weights, and what their rounding left."""
        return self._counts

    def build(self, input_shape: Any) -> None:
        """Creates the kernel, if it is the layer's own, and the bias."""
        several = isinstance(input_shape[0], (list, tuple))
        width = (input_shape[1] if several else input_shape)[-1]
        if self.kernel_layer is None:
            self.own_kernel = self.add_weight(
                shape=(width, self.words), initializer=self.kernel_initializer, name="kernel"
            )
        elif not self.kernel_layer.built:
            self.kernel_layer.build((None, width))
        if self.use_bias:
            self.own_bias = self.add_weight(shape=(self.words,), initializer="zeros", name="bias")
        self._counts = self.add_weight(
            shape=(2, 3),
            initializer="zeros",
            dtype="float32",
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
            name="counts",
        )

    def kernel_and_bias(self) -> tuple[Tensor, Tensor | None]:
        """The kernel `(width, words)` and the bias, if there is one."""
        layer = self.kernel_layer
        bias = self.own_bias if self.use_bias else None
        if layer is None:
            return self.own_kernel, bias
        if isinstance(layer, keras.layers.Dense):
            return layer.kernel, layer.bias if layer.use_bias else bias
        if getattr(layer, "tie_weights", True):
            return ops.transpose(layer.embeddings), bias
        return layer.reverse_embeddings, bias

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Checks what Keras would convert: no masked arrays."""
        inputs: Any = args[0] if args else kwargs.get("inputs")
        named = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        if isinstance(inputs, (list, tuple)) and len(named) not in (2, 3):
            raise ValueError(
                f"Layer {self.name!r} takes hidden states, or a list: ids, hidden states and, if "
                f"wanted, weights. Received a list of {len(named)}."
            )
        reject_arrays(**{f"inputs[{i}]": each for i, each in enumerate(named)})
        return super().__call__(*args, **kwargs)

    def call(self, inputs: Any, training: bool = False) -> Tensor:
        """Adds the loss and returns cross-entropies, or returns logits.

        Args:
            inputs: Ids, hidden states and, if wanted, weights; or hidden states alone.
            training: Whether a gradient will be asked for.
        """
        kernel, bias = (
            None if x is None else ops.convert_to_tensor(x) for x in self.kernel_and_bias()
        )
        if not isinstance(inputs, (list, tuple)):
            return self._logits(inputs, kernel, bias)
        ids, hidden, weight = (*inputs, None)[:3]
        loss, tokens = linear_values(
            ids, hidden, kernel, bias, weight, self.options, ranked=True, value_only=not training
        )
        _backend.add_to_layer(self, loss)
        weight = tokens.weight
        sums = [weight * tokens.surprise, weight * tokens.right, weight]
        self._count(_backend.total(ops.stack([ops.sum(each) for each in sums])))
        return tokens.surprise

    def _logits(self, hidden: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
        logits = ops.matmul(hidden, ops.cast(kernel, hidden.dtype))
        logits = ops.cast(logits, _backend.accumulating(str(logits.dtype)))
        if bias is not None:
            logits = logits + ops.cast(bias, logits.dtype)
        cap = self.options.soft_cap
        return logits if cap is None else cap * ops.tanh(logits / cap)

    def _count(self, batch: Tensor) -> None:
        """Adds to the sums, and keeps what their rounding leaves out."""
        old, rest = ops.unstack(ops.convert_to_tensor(self._counts), 2)
        new, left_out = _backend.two_sum(old, ops.cast(batch, "float32"))
        self._counts.assign(ops.stack([new, rest + left_out]))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the hidden states."""
        return previous_mask[1] if isinstance(previous_mask, (list, tuple)) else previous_mask

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        """One number per token, or logits, in float32."""
        if isinstance(inputs, (list, tuple)):
            return keras.KerasTensor(inputs[1].shape[:-1], "float32")
        return keras.KerasTensor((*inputs.shape[:-1], self.words), "float32")

    def get_config(self) -> dict[str, Any]:
        """Returns everything that `from_config` needs to build an equal layer."""
        kernel = self.kernel_layer
        options = {name: getattr(self.options, name) for name in vars(self.options)}
        own = {
            "vocabulary": self.vocabulary,
            "kernel": None if kernel is None else serialization.serialize(kernel),
            "bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
        return {**super().get_config(), **own, **options}


def _words(kernel: Any) -> int | None:
    """How many words a layer has, whose kernel is to be used."""
    if kernel is None:
        return None
    if isinstance(kernel, keras.layers.Embedding):
        return int(kernel.input_dim)
    if isinstance(kernel, keras.layers.Dense) and kernel.activation is keras.activations.linear:
        return int(kernel.units)
    raise ValueError(
        "Argument `kernel` must be a `ReversibleEmbedding`, an `Embedding` or a `Dense` layer "
        f"without activation. Received: kernel={kernel!r}"
    )
