"""What two processes compute together, and one alone: losses, gradients and metrics, by name.

One process is the test itself. The model has a head for each of a few losses, and three metrics of
the first.
"""

import keras
import numpy as np

import keras_masked as km
from tests.replicas.common import COLUMNS, FEATURES, LABELS, UNWEIGHTED, table

PROCESSES, SHARE = 2, 4
BATCH = PROCESSES * SHARE
ROWS = 12 if keras.config.backend() == "jax" else 11
"""JAX needs batches that divide by the processes."""
LOSSES = {name: UNWEIGHTED[name] for name in ("micro", "samples", "macro", "rates")}


def data(rows):
    """The second process has few labels of each batch, and large ones."""
    x, y, _ = table(rows, SHARE, seed=1)
    return x, y


def batches(rows, rank=None):
    """The rows of each batch, the last of which is short, or of one process's part of it."""
    found = [np.arange(start, min(start + BATCH, rows)) for start in range(0, rows, BATCH)]
    return found if rank is None else [np.array_split(batch, PROCESSES)[rank] for batch in found]


def metrics():
    return [
        km.metrics.MeanAbsoluteError(name="mae"),
        km.metrics.R2Score(name="r2"),
        km.metrics.PerLabel(km.metrics.MeanSquaredError(), COLUMNS, name="errors"),
    ]


def model():
    """A linear model with a head for each loss, the same whenever it is made."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((FEATURES,))
    outputs = {name: keras.layers.Dense(LABELS, name=name)(inputs) for name in LOSSES}
    network = keras.Model(inputs, outputs)
    kernel = np.random.default_rng(0).normal(size=(FEATURES, LABELS))
    for name in LOSSES:
        network.get_layer(name).set_weights([kernel, np.zeros(LABELS)])
    return network


def fit_and_evaluate(rank=None):
    """What Keras logs of training and evaluation, and the weights after an epoch."""
    mine = np.concatenate(batches(ROWS, rank))
    x, y = (array[mine] for array in data(ROWS))
    network = model()
    of_first = {"micro": metrics()}
    network.compile(keras.optimizers.SGD(0.05), dict(LOSSES), metrics=of_first, jit_compile=True)
    labels = dict.fromkeys(LOSSES, y)
    options = {"batch_size": BATCH if rank is None else SHARE, "verbose": 0}
    history = network.fit(x, labels, shuffle=False, **options).history
    after = network.evaluate(x, labels, return_dict=True, **options)
    seen = {f"fit {key}": values[-1] for key, values in history.items()}
    seen |= {f"after {key}": float(value) for key, value in after.items()}
    for name in LOSSES:
        kernel, bias = network.get_layer(name).get_weights()
        seen[f"weights {name}"] = [*kernel.ravel().tolist(), *bias.tolist()]
    return seen


def step_by_step(step=None, rank=None, of_first=None):
    """On TensorFlow, losses and gradients of each batch, and metrics of all."""
    import tensorflow as tf

    if step is None:
        of_first = metrics()
        step = part_of(model(), of_first)
    x, y = data(ROWS)
    seen = {}
    for i, rows in enumerate(batches(ROWS, rank)):
        losses, gradients = step(tf.constant(x[rows]), tf.constant(y[rows]))
        for name in LOSSES:
            seen[f"{i} loss {name}"] = float(losses[name])
            seen[f"{i} gradient {name}"] = gradients[name].numpy().ravel().tolist()
    for metric in of_first:
        result = metric.result()
        results = result if isinstance(result, dict) else {metric.name: result}
        seen |= {name: float(value) for name, value in results.items()}
    return seen


def part_of(network, of_first):
    """A function of one part of a batch: its losses and gradients."""
    import tensorflow as tf

    def part(x, y):
        with tf.GradientTape(persistent=True) as tape:
            predicted = network(x)
            losses = {name: loss(y, predicted[name]) for name, loss in LOSSES.items()}
        for metric in of_first:
            metric.update_state(y, predicted["micro"])
        kernels = {name: network.get_layer(name).kernel.value for name in LOSSES}
        return losses, {name: tape.gradient(losses[name], kernels[name]) for name in LOSSES}

    return part
