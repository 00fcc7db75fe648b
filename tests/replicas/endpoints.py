"""Layers that add losses, on one device and on two replicas of TensorFlow, in this process.

Reports what training logs and the weights after it.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import keras_masked as km

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(16, 4)).astype("float32")
Y = RANDOM.normal(size=(16, 3)).astype("float32")
Y[RANDOM.random(Y.shape) < 0.4] = np.nan
Y[4:8] = np.nan  # a replica that sees nothing of the first batch


def two_outputs() -> tuple[keras.Model, list[np.ndarray]]:
    x, y = keras.Input((4,)), keras.Input((3,))
    endpoint = km.layers.LossEndpoint(km.losses.NegativeLogLikelihood())
    predictions = endpoint([y, keras.layers.Dense(3)(x), keras.layers.Dense(3)(x)])
    return keras.Model([x, y], predictions), [X, Y]


def autoencoder() -> tuple[keras.Model, list[np.ndarray]]:
    x, y = keras.Input((4,)), keras.Input((3,))
    mean, log_var = keras.layers.Dense(2)(x), keras.layers.Dense(2)(x)
    endpoint = km.layers.VariationalEndpoint()
    return keras.Model([x, y], endpoint([y, keras.layers.Dense(3)(mean), mean, log_var])), [X, Y]


def train(build: Any, scope: Callable[[], Any] = contextlib.nullcontext) -> dict[str, Any]:
    keras.utils.set_random_seed(0)
    with scope():
        model, data = build()
        model.compile(keras.optimizers.SGD(0.1), jit_compile=False)
    settings = {"batch_size": 8, "verbose": 0}
    losses = model.fit(data, epochs=2, shuffle=False, **settings).history["loss"]
    weights = [np.ravel(v.numpy()).tolist() for v in model.trainable_variables]
    evaluated = float(model.evaluate(data, **settings))
    return {"fit": losses, "evaluate": [evaluated], "weights": sum(weights, [])}


def main() -> None:
    [cpu] = tf.config.list_physical_devices("CPU")
    logical = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, logical)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    found = {
        build.__name__: [train(build), train(build, strategy.scope)]
        for build in (two_outputs, autoencoder)
    }
    Path(sys.argv[1]).write_text(json.dumps(found))


main()
