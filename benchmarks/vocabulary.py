"""Cross-entropy over a vocabulary: from hidden states and a kernel, against from logits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
BASE = "keras_masked, logits"
SHAPES = ((2048, 128, 32768), (4096, 256, 65536))
QUICK = ((256, 16, 512),)
# Variants by name: whose loss, and the share of ignored tokens, which Keras's cannot have.
VARIANTS = {
    BASE: ("logits", 0.0),
    "keras, logits": ("keras", 0.0),
    "linear_crossentropy": ("hidden", 0.0),
    "85% ignored": ("hidden", 0.85),
}


def time_vocabulary(
    compiled: bool, rounds: int, clock: str, quick: bool
) -> Iterator[dict[str, Any]]:
    """Times value and gradients by hidden states and kernel, and measures peaks of memory."""
    from benchmarks import engines
    from benchmarks.losses import as_row
    from benchmarks.timing import interleave

    for shape in QUICK if quick else SHAPES:
        calls = {
            name: _call(kind, share, shape, compiled) for name, (kind, share) in VARIANTS.items()
        }
        timings = interleave(calls, BASE, min(rounds, 7), clock, limit=60)
        engines.forget()
        for name, timing in timings.items():
            row = {"section": "vocabulary", "subject": "loss and gradients", "shape": list(shape)}
            row |= {"mode": "jit" if compiled else "eager", "variant": name, **as_row(timing)}
            if not quick:
                row |= _rise(name, shape, compiled)
            yield row


def _call(kind: str, ignored: float, shape: tuple[int, ...], compiled: bool) -> Callable[[], Any]:
    import keras
    import numpy as np
    from keras import ops

    import keras_masked as km
    from benchmarks import engines

    rows, width, words = shape
    random = np.random.default_rng(0)
    ids = random.integers(0, words, rows).astype("int32")
    ids[random.random(rows) < ignored] = -1
    arrays = random.normal(size=(rows, width)), random.normal(size=(width, words)) / width**0.5
    tensors = [ops.convert_to_tensor(x.astype("float32")) for x in arrays]
    labels = ops.convert_to_tensor(ids)
    module = keras.losses if kind == "keras" else km.losses
    of_logits = module.SparseCategoricalCrossentropy(from_logits=True)

    def loss(labels: Any, both: Any) -> Any:
        hidden, kernel = both
        if kind == "hidden":
            return km.losses.linear_crossentropy(labels, hidden, kernel)
        return of_logits(labels, ops.matmul(hidden, kernel))

    function = engines.value_and_gradient(loss, compiled)
    return lambda: function(labels, tensors)


def _rise(name: str, shape: tuple[int, ...], compiled: bool) -> dict[str, Any]:
    """The rise of the peak of memory, in a process of its own: see `memory`."""
    import keras

    from benchmarks.memory import MALLOC

    job = json.dumps({"variant": name, "shape": shape, "compiled": compiled})
    command = [sys.executable, __file__, keras.config.backend(), job]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **MALLOC})
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["failed"])[-1][:120]}
    return {"rise MB": int(done.stdout.strip().splitlines()[-1]) / 1e6}


def _measure(job: dict[str, Any]) -> int:
    from benchmarks import memory

    kind, ignored = VARIANTS[job["variant"]]
    call = _call(kind, ignored, tuple(job["shape"]), job["compiled"])
    call()  # compiles
    before = memory.reset_peak("cpu")
    for _ in range(3):
        call()
    return memory.peak("cpu") - before


if __name__ == "__main__":
    sys.path[0] = str(ROOT)
    from benchmarks import engines as _engines

    _engines.prepare(sys.argv[1], "cpu")
    print(_measure(json.loads(sys.argv[2])))
