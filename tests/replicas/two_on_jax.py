"""`keras.distribution.DataParallel` over two processes; arguments: rank, port, file."""

import sys

import jax
import keras

RANK, PORT = int(sys.argv[1]), sys.argv[2]
jax.config.update("jax_cpu_collectives_implementation", "gloo")
keras.distribution.initialize(f"127.0.0.1:{PORT}", 2, RANK)  # before JAX looks for devices

from tests.replicas.common import report  # noqa: E402
from tests.replicas.two_processes import PROCESSES, fit_and_evaluate  # noqa: E402

devices = keras.distribution.list_devices()
assert len(devices) == PROCESSES == jax.process_count()
# Each process has its own part of the data already.
keras.distribution.set_distribution(
    keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False)
)
seen = fit_and_evaluate(RANK)
if RANK == 0:
    report(**seen)
