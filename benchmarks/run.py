"""Times keras_masked against Keras, and against what people write today.

    python benchmarks/run.py [--backend jax|tensorflow|torch] [--mode jit|eager|both] [--quick]

Everything is a ratio to Keras's own object on the same *complete* labels, measured by turns in one
run; medians and quartiles are those of the ratios. Nothing here fails for being slow.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__" and not __package__:
    sys.path[0] = str(Path(__file__).parent.parent)

from benchmarks import engines, report, timing

# Keras picks its backend when it is imported: functions import it, once --backend is read.

SECTIONS = (
    "losses",
    "alternatives",
    "fit",
    "metrics",
    "per-label",
    "draws",
    "distributions",
    "vocabulary",
    "memory",
)
SHAPES = ("256x16", "4096x1024", "64x256x256")
Row = dict[str, Any]
Job = Callable[[], Iterator[Row]]


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__.split("\n")[0])
    add = parser.add_argument
    backend = os.environ.get("KERAS_BACKEND", "jax")
    add("--backend", choices=engines.BACKENDS, default=backend)
    add("--mode", choices=("jit", "eager", "both"), default="both")
    add("--device", choices=("cpu", "gpu"), default="cpu")
    add("--quick", action="store_true", help="small shapes and few rounds, under a minute")
    add(
        "--clock",
        choices=timing.CLOCKS,
        default="wall",
        help="cpu: for one thread on busy machines",
    )
    add("--sections", nargs="+", choices=SECTIONS, metavar="SECTION", help=f"of {SECTIONS}")
    add("--losses", nargs="+", default=["usual"], help="names of classes, or all", metavar="LOSS")
    add("--shapes", nargs="+", type=_shape, metavar="4096x1024")
    add("--missing", nargs="+", type=float, default=[0.0, 0.3, 0.9], metavar="FRACTION")
    add("--rounds", type=int, help="how often each is timed")
    add("--out", type=Path, default=Path(__file__).parent / "results", metavar="DIR")
    options = parser.parse_args(arguments)
    if options.quick:
        options.losses = ["MeanSquaredError"] if options.losses == ["usual"] else options.losses
        options.shapes = options.shapes or [(256, 16)]
        options.rounds = options.rounds or 5
        options.missing = options.missing[:2]
        options.sections = options.sections or SECTIONS[:-1]  # memory starts many processes
    options.sections = options.sections or SECTIONS
    options.shapes = options.shapes or [_shape(text) for text in SHAPES]
    options.rounds = options.rounds or 15
    return options


def _shape(text: str) -> tuple[int, ...]:
    try:
        shape = tuple(int(n) for n in text.split("x"))
    except ValueError:
        shape = ()
    if len(shape) < 2 or min(shape) < 1:
        raise argparse.ArgumentTypeError(f"a shape such as 4096x1024, not {text!r}")
    return shape


def jobs(options: argparse.Namespace) -> list[Job]:
    """What there is to do, each a function that yields rows."""
    import keras

    import keras_masked as km
    from benchmarks import (
        distributions,
        draws,
        fit_step,
        losses,
        memory,
        metric_update,
        per_label,
        subjects,
        vocabulary,
    )

    chosen = subjects.choose(options.losses, keras.losses, km.losses)
    rounds, clock, quick = options.rounds, options.clock, options.quick
    # Alternatives, metrics and memory: one shape, the largest of rank 2, and one fraction.
    shape = max(options.shapes, key=lambda s: (len(s) == 2, s))
    fraction = next((f for f in options.missing if f > 0), 0.3)
    metrics = list(metric_update.METRICS)[: 2 if quick else None]
    found: dict[str, list[Job]] = {section: [] for section in SECTIONS}
    for compiled in {"jit": (True,), "eager": (False,), "both": (True, False)}[options.mode]:
        for subject in chosen:
            found["losses"] += [
                partial(losses.time_losses, subject, each, compiled, options.missing, rounds, clock)
                for each in options.shapes
            ]
            if subject.usual:
                arguments = (subject, shape, compiled, fraction, rounds, clock)
                found["alternatives"].append(partial(losses.time_alternatives, *arguments))
            if subject.name in subjects.BARRED and not subject.options:
                arguments = (subject.name, shape, compiled, fraction, options.device)
                found["memory"].append(partial(memory.measure_memory, *arguments))
        found["metrics"] += [
            partial(metric_update.time_metric, name, shape, compiled, fraction, rounds, clock)
            for name in metrics
        ]
        found["per-label"] += [
            partial(per_label.time_per_label, name, labels, compiled, fraction, rounds, clock)
            for name in list(per_label.METRICS)[: 1 if quick else None]
            for labels in ((10,) if quick else (100, 1000))
        ]
        found["draws"].append(
            partial(draws.time_draws, compiled, rounds, clock, options.device, quick)
        )
        found["distributions"].append(
            partial(
                distributions.time_distributions,
                compiled, fraction, rounds, clock, options.device, quick,
            )
        )  # fmt: skip
        found["vocabulary"].append(
            partial(vocabulary.time_vocabulary, compiled, rounds, clock, quick)
        )
    found["fit"].append(partial(fit_step.time_fit, rounds, clock, quick))
    return [job for section in options.sections for job in found[section]]


def main(arguments: list[str] | None = None) -> None:
    """Runs what the command line asks for."""
    options = parse(arguments)
    engines.prepare(options.backend, options.device)
    import keras

    if options.device == "gpu" and not engines.has_gpu():
        raise SystemExit(f"--device gpu: {options.backend} finds no GPU here.")
    todo = jobs(options)
    rows: list[Row] = []
    progress = keras.utils.Progbar(len(todo), unit_name="job")
    for done, job in enumerate(todo, start=1):
        rows += job()
        progress.update(done)
    environment = engines.describe(options.device) | {"clock": options.clock}
    print("\n" + report.table(rows) + "\n")
    for path in report.save(rows, environment, options.out, f"{options.backend}-{options.device}"):
        print(f"Wrote {path}")


if __name__ == "__main__":
    main()
