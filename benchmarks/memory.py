"""Peak memory of one loss and its gradient, each measured in a process of its own.

On a CPU: the peak of the process's resident memory during calls, less what was resident before the
first call with arrays of that size, as Linux counts both (`VmHWM` of `/proc/self/status`, reset by
`/proc/self/clear_refs`). Compiling is over by then; what a backend keeps for later calls counts.
On a GPU: the peak that the backend's own allocator reports. The ratio compares peaks that include
labels and predictions, which must be there in any case.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
BASE = "keras, complete"
# Otherwise the C library keeps what was freed, more or less of it as luck will have it.
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "MALLOC_TOP_PAD_": "0",
}


def measure_memory(
    name: str, shape: tuple[int, ...], compiled: bool, fraction: float, device: str
) -> Iterator[dict[str, Any]]:
    """Peaks of Keras's loss on complete labels and of ours."""
    peaks: dict[str, float] = {}
    mode = "jit" if compiled else "eager"
    for variant, missing in (
        (BASE, None),
        ("complete", 0.0),
        (f"{fraction:.0%} missing", fraction),
    ):
        job = {"name": name, "shape": shape, "compiled": compiled, "missing": missing}
        row = {"section": "memory", "subject": name, "shape": list(shape)}
        row |= {"mode": mode, "variant": variant}
        result = peak_of({**job, "device": device})
        if "error" in result:
            yield row | result
            continue
        inputs, rise = result["inputs"], result["rise"]
        peaks[variant] = inputs + rise
        ratio = peaks[variant] / peaks[BASE] if BASE in peaks else float("nan")
        yield row | {"inputs MB": inputs / 1e6, "rise MB": rise / 1e6, "ratio": ratio}


def peak_of(job: dict[str, Any]) -> dict[str, Any]:
    """Inputs and rise in bytes, measured in a process of its own."""
    import keras

    command = [sys.executable, __file__, keras.config.backend(), json.dumps(job)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **MALLOC})
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["failed"])[-1][:120]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def _run(job: dict[str, Any]) -> dict[str, int]:
    """Measures in this process, to be a child of `measure_memory`."""
    import keras
    from keras import ops

    import keras_masked as km
    from benchmarks import engines
    from benchmarks.subjects import DRAWN, PREDICTED, SUBJECTS, data, hide

    options = job.get("options", {})
    named = (s for s in (*SUBJECTS, *DRAWN, *PREDICTED.values()) if s.name == job["name"])
    subject = next(s for s in named if options.items() <= s.options.items())
    y_true, y_pred = data(subject.kind, tuple(job["shape"]))
    if job["missing"] is not None:
        y_true = hide(y_true, subject.kind, job["missing"])
    loss = subject.build(keras.losses if job["missing"] is None else km.losses)
    function = engines.value_and_gradient(loss, job["compiled"])
    inputs = y_true.nbytes + y_pred.nbytes
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    for _ in range(2):
        function(y_true[:1], y_pred[:1])  # loads what is loaded late
    before = reset_peak(job["device"])
    for _ in range(3):
        function(y_true, y_pred)  # compiles
    reset_peak(job["device"])
    for _ in range(5):
        function(y_true, y_pred)
    return {"inputs": inputs, "rise": peak(job["device"]) - before}


def reset_peak(device: str) -> int:
    """Starts a new peak and returns the bytes in use now."""
    import keras

    if device == "cpu":
        if not Path("/proc/self/clear_refs").exists():
            raise SystemExit("Peak memory of a CPU can only be measured on Linux.")
        Path("/proc/self/clear_refs").write_text("5")
        return _status("VmRSS")
    match keras.config.backend():
        case "jax":  # its peak cannot be reset: that of the whole process, warm-up included
            import jax

            return int(jax.devices()[0].memory_stats()["bytes_in_use"])
        case "tensorflow":
            import tensorflow as tf

            tf.config.experimental.reset_memory_stats("GPU:0")
            return int(tf.config.experimental.get_memory_info("GPU:0")["current"])
        case _:
            import torch

            torch.cuda.reset_peak_memory_stats()
            return int(torch.cuda.memory_allocated())


def peak(device: str) -> int:
    import keras

    if device == "cpu":
        return _status("VmHWM")
    match keras.config.backend():
        case "jax":
            import jax

            return int(jax.devices()[0].memory_stats()["peak_bytes_in_use"])
        case "tensorflow":
            import tensorflow as tf

            return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
        case _:
            import torch

            return int(torch.cuda.max_memory_allocated())


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return 1024 * int(line.split()[1])
    raise SystemExit(f"This system does not tell {field}.")


if __name__ == "__main__":
    sys.path[0] = str(ROOT)
    from benchmarks import engines as _engines

    _engines.prepare(sys.argv[1], json.loads(sys.argv[2])["device"])
    print(json.dumps(_run(json.loads(sys.argv[2]))))
