"""In two processes, losses, gradients and metrics are those of one.

Over the loopback address: JAX with `jax.distributed` and `keras.distribution`, TensorFlow with
`MultiWorkerMirroredStrategy`. PyTorch's `DistributedDataParallel` is in test_replicas.py. The
second process has few labels, and where the engine allows it a shorter last batch.
"""

import json

import keras
import numpy as np
import pytest

from tests.replicas import two_processes as two
from tests.replicas.launch import finish, free_ports, start

BACKEND = keras.config.backend()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BACKEND == "torch", reason="see test_replicas.py"),
]


def of_two_processes(path):
    """What the script of the engine reports."""
    ports = free_ports(1 if BACKEND == "jax" else 2)
    # The processes would wait for each other in JAX's cache of compiled code.
    script = f"two_on_{BACKEND}"
    finish([start(script, rank, *ports, path) for rank in range(two.PROCESSES)], seconds=240)
    return json.loads(path.read_text())


def test_two_processes_give_the_numbers_of_one(tmp_path):
    found = of_two_processes(tmp_path / "numbers.json")
    expected = two.fit_and_evaluate() if BACKEND == "jax" else two.step_by_step()
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=2e-5, atol=1e-6, err_msg=key)


def test_parts_are_unequal():
    """A mean of the two processes' means would differ."""
    _, y = two.data(two.ROWS)
    means = [np.nanmean(y[np.concatenate(two.batches(two.ROWS, rank))] ** 2) for rank in range(2)]
    assert np.mean(means) != pytest.approx(np.nanmean(y**2), rel=0.05)
