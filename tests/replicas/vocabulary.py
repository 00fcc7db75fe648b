"""A language model on one device and on several: on JAX and TensorFlow, in this process.

Reports what training logs and the weights after it, by the way on which the model was trained.
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

import keras_masked as km

ROWS, STEPS, WORDS, WIDTH, BATCH = 16, 6, 20, 8, 8
RANDOM = np.random.default_rng(0)
TOKENS = RANDOM.integers(1, WORDS, (ROWS, STEPS)).astype("int32")
IDS = RANDOM.integers(0, WORDS, (ROWS, STEPS)).astype("int32")
IDS[RANDOM.random((ROWS, STEPS)) < 0.4] = -100
IDS[4:8] = -100  # devices that see nothing of the first batch


def train(scope: Callable[[], Any] = contextlib.nullcontext) -> dict[str, Any]:
    keras.utils.set_random_seed(0)
    with scope():
        tokens, ids = (keras.Input((STEPS,), dtype="int32") for _ in range(2))
        embedding = keras.layers.ReversibleEmbedding(WORDS, WIDTH, name="embedding")
        hidden = keras.layers.Dense(WIDTH, "tanh")(embedding(tokens))
        head = km.layers.LinearCrossentropy(kernel=embedding, missing=-100, chunk=5)
        model = keras.Model([tokens, ids], head([ids, hidden]))
        jit = keras.config.backend() == "jax"
        model.compile(keras.optimizers.SGD(1.0), jit_compile=jit)
    settings = {"batch_size": BATCH, "verbose": 0}
    history = model.fit([TOKENS, IDS], epochs=2, shuffle=False, **settings).history
    found = {f"fit {name}": values for name, values in history.items()}
    logs = model.evaluate([TOKENS, IDS], return_dict=True, **settings)
    found |= {f"evaluate {name}": [float(value)] for name, value in logs.items()}
    weights = [np.ravel(v.numpy()).tolist() for v in model.trainable_variables]
    return found | {"weights": sum(weights, [])}


def main() -> None:
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        [cpu] = tf.config.list_physical_devices("CPU")
        logical = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, logical)
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        found = {"one": train(), "data": train(strategy.scope)}
    else:
        found = {"one": train()}
        distribution = keras.distribution
        devices = distribution.list_devices()
        assert len(devices) == 4
        with distribution.DataParallel(devices=devices).scope():
            found["data"] = train()
        mesh = distribution.DeviceMesh((2, 2), ("batch", "model"), devices)
        layouts = distribution.LayoutMap(mesh)
        layouts["embedding/embeddings"] = ("model", None)
        with distribution.ModelParallel(layout_map=layouts, batch_dim_name="batch").scope():
            found["model"] = train()
    Path(sys.argv[1]).write_text(json.dumps(found))


main()
