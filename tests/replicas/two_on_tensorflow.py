"""`MultiWorkerMirroredStrategy` over two processes; arguments: rank, two ports, file.

A hand-written step: Keras 3.15's `fit` fails under this strategy, whatever the loss.
"""

import json
import os
import sys

import tensorflow as tf

RANK, PORTS = int(sys.argv[1]), sys.argv[2:4]
cluster = {"worker": [f"127.0.0.1:{port}" for port in PORTS]}
task = {"type": "worker", "index": RANK}
os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
strategy = tf.distribute.MultiWorkerMirroredStrategy()  # before TensorFlow does anything else

from tests.replicas.common import report  # noqa: E402
from tests.replicas.two_processes import PROCESSES, metrics, model, part_of, step_by_step  # noqa: E402

assert strategy.num_replicas_in_sync == PROCESSES
with strategy.scope():
    of_first = metrics()
    part = part_of(model(), of_first)


@tf.function(autograph=False)  # whose conversion takes minutes
def step(x, y):
    """Of all processes: what their parts of each loss and gradient add up to."""
    parts = strategy.run(tf.autograph.experimental.do_not_convert(part), (x, y))
    return tf.nest.map_structure(lambda value: strategy.reduce("SUM", value, axis=None), parts)


seen = step_by_step(step, RANK, of_first)
if RANK == 0:
    report(**seen)
