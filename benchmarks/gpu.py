"""What masking costs on a GPU, and what cross-entropy over a large vocabulary does there.

    python benchmarks/gpu.py [--backends torch jax] [--out DIR] [--seconds 460] [--quick]

Losses and their gradients, compiled, against Keras's own on complete labels; a metric of a thousand
labels; cross-entropy from hidden states and a kernel against that of logits, with its error against
float64. Each backend runs in a process of its own, prints what it finds as it finds it, and leaves
out what is left when its time is over. Nothing here fails for being slow. `--quick` takes small
sizes, for a machine without a GPU.

Times are medians of several; "GB/s" counts labels and predictions read once and the gradient
written, whatever is moved beyond that, and "of copy" is its share of what a copy of a large array
moves. What fits into the cache of the card can exceed it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__" and not __package__:
    sys.path[0] = str(Path(__file__).parent.parent)

Row = dict[str, Any]
Call = Callable[[], Any]
Tensor = Any

LOSSES = {
    "MeanSquaredError": ("real", {}),
    "BinaryCrossentropy": ("binary logits", {"from_logits": True}),
    "SparseCategoricalCrossentropy": ("ids logits", {"from_logits": True}),
    "MeanAbsoluteError": ("real", {}),
    "Huber": ("real", {}),
}
"""The most telling first: the last may be left out."""
MISSING = 0.3
MARK = "\x1erow "
"""What a line of the child's output begins with that is a row."""
BASE = "keras, complete"

COLUMNS = {
    "subject": "",
    "shape": "",
    "dtype": "",
    "variant": "",
    "ms": "{:.3f}",
    "ratio": "{:.2f}",
    "GB/s": "{:.0f}",
    "of copy": "{:.2f}",
    "TFLOP/s": "{:.0f}",
    "peak GiB": "{:.2f}",
    "error": "",
}


def parse() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks/gpu.py", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--backends", nargs="+", choices=("torch", "jax"), default=["torch", "jax"])
    add("--out", type=Path, default=Path(__file__).parent / "results", metavar="DIR")
    add("--seconds", type=float, default=460.0, help="for all backends together")
    add("--parts", nargs="+", choices=tuple(PARTS), default=list(PARTS), metavar="PART")
    add("--quick", action="store_true", help="small sizes, for a CPU")
    add("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


# Engines


class Torch:
    """PyTorch."""

    def __init__(self) -> None:
        import torch

        self.torch = torch
        self.gpu = torch.cuda.is_available()
        torch._dynamo.config.cache_size_limit = 1024
        torch._dynamo.config.accumulated_cache_size_limit = 1024

    def describe(self) -> Row:
        """What figures depend on."""
        card = self.torch.cuda.get_device_name() if self.gpu else "CPU"
        return {"card": card, "torch": self.torch.__version__, "wide products": self._wide()}

    def _wide(self) -> str:
        """Whether products of half precision are added up in float32, or why not."""
        x = self.torch.ones(
            (16, 16), dtype=self.torch.bfloat16, device="cuda" if self.gpu else None
        )
        total = self.torch.ones((16, 16), device=x.device)
        try:
            self.torch.addmm(total, x, x, out_dtype=total.dtype, out=total)
            self.torch.mm(x, x, out_dtype=total.dtype, out=total.clone())
            return f"yes, {total.mean().item()}"
        except Exception as error:
            return _short(error)

    def gradients(self, function: Any, *by: int, compiled: bool = True) -> Callable[..., Any]:
        """A function that returns a value and its gradients by some arguments."""

        def own(*tensors: Tensor) -> Tensor:
            return function(*tensors)

        # The shapes of one subject are not those of the next: no symbols for them.
        forward = self.torch.compile(own, dynamic=False) if compiled else own

        def run(*tensors: Tensor) -> Any:
            taken = [x.detach().requires_grad_() if i in by else x for i, x in enumerate(tensors)]
            value = forward(*taken)
            return value.detach(), self.torch.autograd.grad(value, [taken[i] for i in by])

        return run

    def fixed(self, function: Any, *_: Tensor) -> Callable[..., Any]:
        """The function of gradients, compiled for these tensors as it is called."""
        return function

    def compiled(self, function: Any) -> Callable[..., Any]:
        """The function, compiled."""
        return self.torch.compile(function, dynamic=False)

    def wait(self, _: Any = None) -> None:
        """Waits for the device."""
        if self.gpu:
            self.torch.cuda.synchronize()

    def replayed(self, call: Call) -> Call:
        """The call without what Python adds to it, where that can be."""
        if not self.gpu:
            return call
        torch = self.torch
        try:
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(3):
                    call()
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                call()
            return graph.replay
        except Exception as error:
            print(f"no graph: {_short(error)}", flush=True)
            torch.cuda.synchronize()
            return call

    def peak(self, function: Callable[..., Any], *tensors: Tensor) -> float | None:
        """How many bytes a call takes beyond its arguments, its results included."""
        if not self.gpu:
            return None
        self.torch.cuda.synchronize()
        self.torch.cuda.reset_peak_memory_stats()
        before = self.torch.cuda.memory_allocated()
        results = function(*tensors)
        self.torch.cuda.synchronize()
        del results
        return float(self.torch.cuda.max_memory_allocated() - before)

    def forget(self) -> None:
        """Frees what earlier subjects left."""
        import gc

        self.torch._dynamo.reset()
        gc.collect()
        if self.gpu:
            self.torch.cuda.empty_cache()


class Jax:
    """JAX."""

    def __init__(self) -> None:
        import jax

        self.jax = jax
        self.gpu = any(device.platform == "gpu" for device in jax.devices())

    def describe(self) -> Row:
        """What figures depend on."""
        return {"card": self.jax.devices()[0].device_kind, "jax": self.jax.__version__}

    def gradients(self, function: Any, *by: int, compiled: bool = True) -> Callable[..., Any]:
        """A function that returns a value and its gradients by some arguments."""
        both = self.jax.value_and_grad(function, argnums=by)
        return self.jax.jit(both) if compiled else both

    def compiled(self, function: Any) -> Callable[..., Any]:
        """The function, compiled."""
        return self.jax.jit(function)

    def wait(self, results: Any = None) -> None:
        """Waits for the device."""
        self.jax.block_until_ready(results)

    def replayed(self, call: Call) -> Call:
        """The call: JAX queues it as it is."""
        return call

    def fixed(self, function: Any, *tensors: Tensor) -> Callable[..., Any]:
        """The function of gradients, compiled for these tensors once and for all."""
        return function.lower(*tensors).compile()

    def peak(self, function: Any, *_: Tensor) -> float | None:
        """How many bytes a call takes beyond its arguments, its results included."""
        size = function.memory_analysis()
        return float(size.temp_size_in_bytes + size.output_size_in_bytes)

    def forget(self) -> None:
        """Frees what earlier subjects left."""
        import gc

        self.jax.clear_caches()
        gc.collect()


def seconds_of(engine: Any, call: Call, budget: float, rounds: int = 5) -> float:
    """The median time of a call, of several in a row: the device need not wait for Python."""
    engine.wait(call())
    started = time.perf_counter()
    engine.wait(call())
    once = max(time.perf_counter() - started, 1e-6)
    repeats = max(1, min(50, int(budget / rounds / once)))
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(repeats):
            results = call()
        engine.wait(results)
        times.append((time.perf_counter() - started) / repeats)
    return statistics.median(times)


def _short(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:160]


# Parts. Each yields rows, or functions that yield them: one that fails does not end the others.


def array(rows: int, columns: int, seed: int, dtype: str) -> Tensor:
    """Normal numbers on the device."""
    import numpy as np
    from keras import ops

    few = next(n for n in range(min(rows, 4096), 0, -1) if rows % n == 0)
    block = np.random.default_rng(seed).standard_normal((few, columns), "float32")
    return ops.cast(ops.tile(ops.convert_to_tensor(block), (rows // few, 1)), dtype)


def copy_speed(engine: Any, quick: bool) -> float:
    """Bytes read and written in a second by a copy of a large array."""
    rows = 64 if quick else 65536
    x = array(rows, 1024, 0, "float32")
    negate = engine.compiled(lambda x: -x)
    return 2 * 4 * rows * 1024 / seconds_of(engine, lambda: negate(x), 0.3)


def losses(engine: Any, quick: bool) -> Iterator[Callable[[], Iterator[Row]]]:
    """Losses and gradients against Keras's, large arrays first."""
    speed = copy_speed(engine, quick)
    large, small = ((256, 1024), (64, 1024)) if quick else ((65536, 1024), (4096, 1024))
    for shape, dtype in ((large, "float32"), (large, "bfloat16"), (small, "float32")):
        for name, (kind, options) in LOSSES.items():
            yield lambda name=name, kind=kind, options=options, shape=shape, dtype=dtype: _loss(
                engine, name, kind, options, shape, dtype, speed
            )


def _loss(
    engine: Any,
    name: str,
    kind: str,
    options: Row,
    shape: tuple[int, int],
    dtype: str,
    speed: float,
) -> Iterator[Row]:
    import keras
    import numpy as np
    from keras import ops

    import keras_masked as km

    rows, columns = shape
    p = array(rows, columns, 1, dtype)
    ids = kind.startswith("ids")
    random = np.random.default_rng(2)
    if ids:
        y = ops.convert_to_tensor(random.integers(0, columns, rows).astype("int32"))
        hidden = ops.where(ops.convert_to_tensor(random.random(rows) < MISSING), -1, y)
        moved = 4 * rows
    else:
        y = array(rows, columns, 3, dtype)
        if kind.startswith("binary"):
            y = ops.cast(y > 0, dtype)
        unknown = array(rows, columns, 4, "float32") < -0.5244  # three in ten
        hidden = ops.where(unknown, ops.convert_to_tensor(float("nan"), dtype), y)
        moved = y.dtype.itemsize * rows * columns
    moved += 2 * p.dtype.itemsize * rows * columns
    named = {"dtype": dtype, **options}
    ours, theirs = getattr(km.losses, name), getattr(keras.losses, name)
    plain = theirs(**named)
    if ids:  # Keras's class rounds ids to the dtype of the loss: to words that are not there

        def plain(y: Tensor, p: Tensor) -> Tensor:
            return ops.mean(keras.losses.sparse_categorical_crossentropy(y, p, from_logits=True))

    variants = {
        BASE: (plain, y),
        f"{MISSING:.0%} missing": (ours(**named), hidden),
        "with observed_rate": (ours(observed_rate=1 - MISSING, **named), hidden),
    }
    base = None
    for variant, (loss, labels) in variants.items():
        row = {"section": "losses", "subject": name, "shape": list(shape), "dtype": dtype}
        row["variant"] = variant
        try:
            function = engine.gradients(loss, 1)
            value = float(ops.convert_to_numpy(ops.cast(function(labels, p)[0], "float32")))
            if not np.isfinite(value):
                raise ValueError(f"the loss is {value}")
            call = engine.replayed(lambda function=function, labels=labels: function(labels, p))
            found = seconds_of(engine, call, 0.2)
            base = found if variant == BASE else base
            row |= {
                "ms": 1e3 * found,
                "GB/s": moved / found / 1e9,
                "of copy": moved / found / speed,
            }
            row |= {"ratio": found / base} if base else {}
            del call, function
        except Exception as error:
            row["error"] = _short(error)
        yield row
    engine.forget()


def per_label(engine: Any, quick: bool) -> Iterator[Callable[[], Iterator[Row]]]:
    """An update of a metric of a thousand labels, against one of Keras's metric of all."""
    rows, labels = (64, 20) if quick else (4096, 1000)

    def run() -> Iterator[Row]:
        import keras
        from keras import ops

        import keras_masked as km

        y, p = array(rows, labels, 0, "float32"), array(rows, labels, 1, "float32")
        unknown = array(rows, labels, 2, "float32") < -0.5244
        hidden = ops.where(unknown, ops.convert_to_tensor(float("nan"), "float32"), y)
        names = [f"label_{i}" for i in range(labels)]
        inner = {"MeanAbsoluteError": {}, "R2Score": {}}
        base = None
        subjects = {BASE: (keras.metrics.MeanAbsoluteError(), y)}
        subjects |= {
            f"PerLabel({name})": (km.metrics.PerLabel(getattr(km.metrics, name)(), names), hidden)
            for name in inner
        }
        for variant, (metric, labels_) in subjects.items():
            row = {"section": "per label", "subject": "update of a metric"}
            row |= {"shape": [rows, labels], "dtype": "float32", "variant": variant}
            try:
                call = _update(engine, metric, labels_, p)
                found = seconds_of(engine, call, 0.2)
                base = found if variant == BASE else base
                row |= {"ms": 1e3 * found} | ({"ratio": found / base} if base else {})
            except Exception as error:
                row["error"] = _short(error)
            yield row
        engine.forget()

    yield run


def _update(engine: Any, metric: Any, y: Tensor, p: Tensor) -> Call:
    metric.update_state(y, p)
    if isinstance(engine, Jax):
        state = [variable.value for variable in metric.variables]
        stateless = engine.compiled(metric.stateless_update_state)
        return lambda: stateless(state, y, p)
    update = engine.compiled(lambda y, p: metric.update_state(y, p))
    return engine.replayed(lambda: update(y, p))


def _tokens(rows: int, width: int, words: int, ignored: float, dtype: str) -> list[Tensor]:
    import numpy as np
    from keras import ops

    random = np.random.default_rng(5)
    ids = random.integers(0, words, rows).astype("int32")
    ids = np.where(random.random(rows) < ignored, -1, ids).astype("int32")
    hidden = array(rows, width, 6, "float32")
    kernel = ops.cast(ops.transpose(array(words, width, 7, "float32")) / width**0.5, dtype)
    return [ops.cast(hidden, dtype), kernel, ops.convert_to_tensor(ids)]


def _linear(**options: Any) -> Callable[..., Tensor]:
    import keras_masked as km

    return lambda hidden, kernel, ids: km.losses.linear_crossentropy(ids, hidden, kernel, **options)


def _plain_linear(*tensors: Tensor) -> Tensor:
    """As PyTorch does it where nothing can be compiled; the last of its part."""
    from keras_masked._backend import vocabulary_logits

    vocabulary_logits.FUSES = False
    return _linear()(*tensors)


def _dense(hidden: Tensor, kernel: Tensor, ids: Tensor) -> Tensor:
    """Keras's own loss of float32 logits; it has no ignored tokens here."""
    import keras
    from keras import ops

    logits = ops.cast(ops.matmul(hidden, kernel), "float32")
    return ops.mean(keras.losses.sparse_categorical_crossentropy(ids, logits, from_logits=True))


def exactness(engine: Any, quick: bool) -> Iterator[Callable[[], Iterator[Row]]]:
    """Value and gradients against float64 on the CPU, of the tokens that are not ignored."""
    rows, width, words = (64, 16, 96) if quick else (2048, 512, 8192)

    def run(dtype: str, ignored: float, options: Row) -> Iterator[Row]:
        import numpy as np
        from keras import ops

        row = {"section": "exactness", "subject": "linear_crossentropy", "dtype": dtype}
        row |= {"shape": [rows, width, words], "variant": f"{ignored:.0%} ignored {options or ''}"}
        tensors = _tokens(rows, width, words, ignored, dtype)
        x, w, ids = (
            ops.convert_to_numpy(ops.cast(t, "float32")).astype("float64") for t in tensors
        )
        seen = ids >= 0
        logits = x[seen] @ w
        logits -= logits.max(-1, keepdims=True)
        p = np.exp(logits)
        p /= p.sum(-1, keepdims=True)
        of_ids = np.arange(len(p)), ids[seen].astype(int)
        expected = [-np.log(p[of_ids]).mean()]
        p[of_ids] -= 1
        p /= len(p)
        of_hidden = np.zeros_like(x)
        of_hidden[seen] = p @ w.T
        expected += [of_hidden, x[seen].T @ p]
        poison = ops.where(tensors[2][:, None] < 0, ops.cast(float("nan"), dtype), tensors[0])
        value, (of_x, of_w) = engine.gradients(_linear(**options), 0, 1, compiled=False)(
            poison, *tensors[1:]
        )
        for name, found, true in zip(
            ("value", "by hidden", "by kernel"), (value, of_x, of_w), expected, strict=True
        ):
            found = ops.convert_to_numpy(ops.cast(found, "float32")).astype("float64")
            error = np.linalg.norm(found - true) / np.linalg.norm(true)
            yield {**row, "subject": f"linear_crossentropy, {name}", "relative error": float(error)}

    for dtype, ignored, options in (
        ("float32", 0.5, {}),
        ("bfloat16", 0.0, {}),
        ("bfloat16", 0.5, {"chunk": 300}),
        ("float16", 0.5, {}),
    ):
        yield lambda dtype=dtype, ignored=ignored, options=options: run(dtype, ignored, options)


def linear(engine: Any, quick: bool) -> Iterator[Callable[[], Iterator[Row]]]:
    """Cross-entropy of a large vocabulary, from hidden states against from logits."""
    rows, width, words = (64, 16, 96) if quick else (32768, 2560, 128256)
    dense = "keras, logits"
    torch_only = {"not compiled": (_plain_linear, 0.0, False)} if isinstance(engine, Torch) else {}
    jobs: dict[str, tuple[Callable[..., Tensor], float, bool]] = {
        "nothing ignored": (_linear(), 0.0, False),
        "85% ignored": (_linear(), 0.85, False),
        dense: (_dense, 0.0, True),
        "chunk=1024": (_linear(chunk=8 if quick else 1024), 0.0, False),
        "chunk=4096": (_linear(chunk=32 if quick else 4096), 0.0, False),
        **torch_only,
    }
    first: list[float] = []

    def run(variant: str, function: Callable[..., Tensor], ignored: float, comp: bool) -> Any:
        row = {"section": "vocabulary", "subject": "loss and gradients", "dtype": "bfloat16"}
        row |= {"shape": [rows, width, words], "variant": variant}
        # Ours is one operation for PyTorch's compiler, and JAX's is compiled in any case.
        comp = comp or isinstance(engine, Jax)
        tensors = _tokens(rows, width, words, ignored, "bfloat16")
        both = engine.fixed(engine.gradients(function, 0, 1, compiled=comp), *tensors)
        found = seconds_of(engine, lambda: both(*tensors), 1.0)
        flops = 6 * rows * (1 - ignored) * width * words
        row |= {"ms": 1e3 * found, "TFLOP/s": flops / found / 1e12}
        first.append(found)
        row["ratio"] = found / first[0]
        yield row | _peak(engine, both, tensors) | _fused(engine)

    for variant, (function, ignored, comp) in jobs.items():
        yield lambda v=variant, f=function, i=ignored, c=comp: run(v, f, i, c)


def _fused(engine: Any) -> Row:
    if not isinstance(engine, Torch):
        return {}
    from keras_masked._backend import vocabulary_logits

    return {"fused": str(vocabulary_logits.FUSES)}


def _peak(engine: Any, both: Callable[..., Any], tensors: list[Tensor]) -> Row:
    try:
        peak = engine.peak(both, *tensors)
    except Exception as error:
        return {"error": _short(error)}
    return {} if peak is None else {"peak GiB": peak / 2**30}


def product(engine: Any, quick: bool) -> Iterator[Callable[[], Iterator[Row]]]:
    """What the card can do: a product of matrices, and a copy."""
    size = 64 if quick else 8192

    def run() -> Iterator[Row]:
        from keras import ops

        x, y = array(size, size, 0, "bfloat16"), array(size, size, 1, "bfloat16")
        multiply = engine.compiled(lambda x, y: ops.matmul(x, y))
        found = seconds_of(engine, lambda: multiply(x, y), 0.3)
        row = {"section": "card", "subject": "product", "shape": [size, size], "dtype": "bfloat16"}
        yield row | {"ms": 1e3 * found, "TFLOP/s": 2 * size**3 / found / 1e12}
        yield {"section": "card", "subject": "copy", "GB/s": copy_speed(engine, quick) / 1e9}
        engine.forget()

    yield run


PARTS = {
    "product": product,
    "exactness": exactness,
    "linear": linear,
    "losses": losses,
    "per-label": per_label,
}


def child(options: argparse.Namespace) -> None:
    """Runs all parts on one backend until its time is over."""
    began = time.perf_counter()
    backend = options.child
    engine = Torch() if backend == "torch" else Jax()

    def put(row: Row) -> None:
        print(MARK + json.dumps({"backend": backend, **row}), flush=True)

    put({"section": "environment", **engine.describe(), **_versions()})
    for part in options.parts:
        try:
            for job in PARTS[part](engine, options.quick):
                if time.perf_counter() - began > options.seconds:
                    put({"section": part, "error": "out of time"})
                    return
                try:
                    for row in job():
                        put(row)
                except Exception as error:
                    put({"section": part, "error": _short(error)})
                engine.forget()
        except Exception as error:
            put({"section": part, "error": _short(error)})
    put({"section": "environment", "seconds": round(time.perf_counter() - began, 1)})


def _versions() -> Row:
    import platform

    import keras

    import keras_masked as km

    return {"keras": keras.__version__, "km": km.__version__, "python": platform.python_version()}


def table(rows: list[Row]) -> str:
    """All rows as aligned text."""
    columns = {"backend": "", "section": "", **COLUMNS, "relative error": "{:.1e}"}
    columns["fused"] = ""

    def cell(key: str, value: Any) -> str:
        if value is None:
            return ""
        if key == "shape":
            return "x".join(map(str, value))
        return columns[key].format(value) if columns[key] else str(value)

    shown = [row for row in rows if row["section"] != "environment"]
    used = [key for key in columns if any(row.get(key) is not None for row in shown)]
    lines = [used, *([cell(key, row.get(key)) for key in used] for row in shown)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(used))]
    about = [json.dumps(row) for row in rows if row["section"] == "environment"]
    text = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines]
    return "\n".join([*about, "", *(line.rstrip() for line in text)])


def main() -> None:
    """Runs each backend in a process of its own, and writes down what it says."""
    options = parse()
    if options.child:
        child(options)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    began = time.perf_counter()
    for i, backend in enumerate(options.backends):
        left = options.seconds - (time.perf_counter() - began)
        share = max(30.0, left / (len(options.backends) - i))
        command = [sys.executable, __file__, "--child", backend, "--seconds", str(share - 20)]
        command += ["--quick"] if options.quick else []
        command += ["--parts", *options.parts]
        env = {**os.environ, "KERAS_BACKEND": backend, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
        process = subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        killer = threading.Timer(share + 10, process.kill)
        killer.start()
        with (options.out / f"gpu-{backend}.log").open("w") as log:
            for line in process.stdout or ():
                if line.startswith(MARK):
                    rows.append(json.loads(line.removeprefix(MARK)))
                    print(json.dumps(rows[-1]), flush=True)
                    (options.out / "gpu.json").write_text(json.dumps(rows, indent=1) + "\n")
                else:
                    log.write(line)
                    log.flush()
        killer.cancel()
        if process.wait():
            rows.append(
                {"backend": backend, "section": "all", "error": f"exit {process.returncode}"}
            )
    text = table(rows)
    (options.out / "gpu.json").write_text(json.dumps(rows, indent=1) + "\n")
    (options.out / "gpu.txt").write_text(text + "\n")
    print("\n" + text)


if __name__ == "__main__":
    main()
