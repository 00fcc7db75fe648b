"""The loss of one device, on two: TensorFlow and `tf.distribute.MirroredStrategy`.

    python examples/devices/tensorflow_mirrored.py

Pretends that the processor is two devices; `MirroredStrategy()`, without their names, runs on the
GPUs that there are. See "On more than one device" in the documentation.
"""

import contextlib
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import keras_masked as km


def train(x, y, scope):
    keras.utils.set_random_seed(0)
    with scope:
        model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3)])
        model.compile(keras.optimizers.SGD(0.05), km.losses.MeanSquaredError())
    model.fit(x, y, batch_size=16, epochs=5, shuffle=False, verbose=0)
    return model.evaluate(x, y, batch_size=16, verbose=0)


[cpu] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

rng = np.random.default_rng(0)
x, y = rng.normal(size=(61, 8)), rng.normal(size=(61, 3))  # the last batch is short
y[rng.random(y.shape) < np.linspace(0, 0.9, 61)[:, None]] = np.nan  # ever more are missing

one = train(x, y, contextlib.nullcontext())
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
several = train(x, y, strategy.scope())

print(f"one device  {one:.6f}\n{strategy.num_replicas_in_sync} devices   {several:.6f}")
np.testing.assert_allclose(several, one, rtol=1e-5)
