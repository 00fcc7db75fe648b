"""Small faults, each with the laws that must find it: `nox -s mutants`.

A suite that is cut down must still fail when the package is wrong. Each mutant replaces one piece
of text in a copy of the package, and the tests named beside it run against that copy: at least one
has to fail. A text that is not there exactly once is an error, so that no mutant goes stale.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOUND, SURVIVED = 1, 0
"""Exit codes of pytest: tests failed, or all passed. Any other says that none ran."""


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A fault: `old` becomes `new` in a file of the package, and `tests` must find it."""

    name: str
    file: str
    old: str
    new: str
    tests: str

    def found_in(self, package: Path) -> int:
        """How often the text is there."""
        path = package / self.file
        return path.read_text().count(self.old) if path.exists() else 0

    def apply(self, package: Path) -> None:
        if self.found_in(package) != 1:
            raise SystemExit(
                f"{self.name}: {self.file} has {self.found_in(package)} times {self.old!r}"
            )
        path = package / self.file
        path.write_text(path.read_text().replace(self.old, self.new))

    @property
    def nodes(self) -> list[str]:
        return [f"tests/test_{test}" for test in self.tests.split()]


HIDING, OBSERVE = "observation/hiding.py", "observation/observe.py"
MISSING, SHAPES = "observation/missing.py", "observation/shapes.py"
REDUCTION, EVALUATION = "observation/reduction.py", "observation/evaluation.py"
DELETION, WEIGHTS = "loss_values.py::test_deletion", "loss_values.py::test_weights"
HALF, EMPTY = "loss_values.py::test_half", "metric_values.py::test_emptiness"

MUTANTS = [
    # What is missing
    Mutant("the first marker alone", MISSING,
           "found = here if found is None else ops.logical_or(found, here)",
           "found = here if found is None else found", "loss_values.py::test_sentinel"),
    Mutant("a marker that half precision does not round", MISSING,
           "return ops.equal(labels, ops.convert_to_tensor(number, dtype=dtype))",
           'return ops.equal(ops.cast(labels, "float32"), float(marker))', HALF),
    Mutant("a marker that wraps in a short dtype", MISSING,
           "return bool(info.min <= marker <= info.max)", "return True",
           "bad_input.py::test_sentinel_that_a_dtype_cannot_hold"),
    Mutant("NaN in a config", MISSING, "math.isnan(number):\n            return NAN",
           "math.isnan(number):\n            return number",
           "configs.py::test_nan_is_stored_as_a_string"),
    Mutant("a vector missing only as a whole", MISSING,
           "of_all = ops.any if marker == NAN else ops.all", "of_all = ops.all",
           "vector_labels.py::test_vector_label_is_missing_if_any_entry_is"),
    Mutant("ignore_class ignored", "losses/base.py",
           'missing=join_markers(self.missing, self._options.get("ignore_class")),',
           "missing=self.missing,", "vector_labels.py::test_ignore_class_is_that_of_keras"),
    # What is hidden
    Mutant("the gate on the way in stands open", HIDING,
           "return _backend.stop_gradient_where(lambda: _expand(hidden(), x), x)", "return x",
           "loss_gradients.py::test_blindness_to_predictions"),
    Mutant("the gate on the way out stands open", HIDING,
           "return _backend.shut_where(lambda: _expand(hidden(), losses), losses)",
           "return losses", DELETION),
    Mutant("hidden inputs are not replaced", HIDING,
           "return _backend.set_where(_expand(hidden(), x), x, value)", "return x", DELETION),
    Mutant("vectors stand in as zeros", HIDING,
           "value = ops.convert_to_tensor(value, dtype=x.dtype)",
           "value = ops.zeros_like(ops.convert_to_tensor(value, dtype=x.dtype))",
           "hiding.py::test_what_a_wrapped_formula_receives"),
    Mutant("labels of weight 0 are seen", OBSERVE,
           "return lambda: self.weight == 0.0", "return lambda: self.weight < 0.0",
           "loss_gradients.py::test_blindness_of_weight_zero"),
    Mutant("a NaN weight of a hidden label counts", OBSERVE,
           "weight = ops.where(observed, weight, ops.zeros_like(weight))\n    return Observation(",
           "weight = weight * ops.cast(observed, weight.dtype)\n    return Observation(",
           "loss_values.py::test_weights_of_hidden_labels_are_not_seen"),
    Mutant("the mask of the model is ignored", OBSERVE,
           "observed = mask if observed is None else ops.logical_and(observed, mask)",
           "observed = observed", "loss_values.py::test_deletion_of_keras_mask"),
    Mutant("hidden labels have a gradient", EVALUATION,
           "y_true = gate_input(y_true, seen.hidden)", "y_true = y_true",
           "loss_gradients.py::test_gradient_of_labels"),
    Mutant("residuals are not hidden", EVALUATION,
           "residual = gate_output(seen.target - seen.y_pred, seen.hidden)",
           "residual = seen.target - seen.y_pred", DELETION),
    Mutant("predictions in the holes of vectors", EVALUATION,
           "y_pred = _backend.zero_where(holes, y_pred)", "y_pred = y_pred",
           "special_losses.py::test_cosine_similarity_uses_the_entries_observed"),
    Mutant("a metric sees what is hidden", "metrics/mean.py",
           "values = _backend.zero_where(seen.hidden(), values)", "values = values",
           "metric_values.py::test_deletion"),
    # Shapes and precision
    Mutant("half precision computes in half", OBSERVE,
           'return "float32" if dtype in ("float16", "bfloat16") else dtype', "return dtype",
           "loss_gradients.py::test_half_gradients_are_finite"),
    Mutant("weights align from the right", SHAPES,
           "axis=tuple(range(len(x.shape), len(shape)))", "axis=tuple(range(missing_axes))",
           WEIGHTS),
    Mutant("labels broadcast", SHAPES, "if not compatible(y_true.shape, y_pred.shape):",
           "if False:", "bad_input.py::test_no_broadcasting"),
    Mutant("(B,) against (B, 1)", SHAPES,
           "if ranks[1] == ranks[0] + 1 and y_pred.shape[-1] == 1:", "if False:",
           "bad_input.py::test_last_axis_of_one"),
    # Denominators
    Mutant("the mean counts missing labels", REDUCTION,
           "count = ops.cast(_backend.count(seen.observed), losses.dtype)",
           "count = ops.sum(ops.ones_like(losses))", DELETION),
    Mutant("rows count missing labels", REDUCTION,
           "return ops.sum(losses, axis=axis) / _at_least_one(count)",
           "return ops.mean(losses, axis=axis)", DELETION),
    Mutant("nothing over nothing", REDUCTION,
           "return _backend.maximum(count, ops.ones_like(count))", "return count",
           "loss_values.py::test_emptiness"),
    Mutant("mean_with_sample_weight divides by a count", REDUCTION,
           'weighted = reduction == "mean_with_sample_weight" and seen.weight is not None',
           "weighted = False", WEIGHTS),
    Mutant("macro counts empty columns", REDUCTION,
           "supported = ops.cast(ops.not_equal(support, 0), losses.dtype)",
           "supported = ops.ones_like(support)", "averages.py::test_averages"),
    Mutant("observed_rate is not divided by", REDUCTION, "return _mean(losses) / rate",
           "return _mean(losses)", "averages.py::test_observed_rate_is_additive"),
    Mutant("functions mask rows with one hole", EVALUATION,
           "ops.any(seen.observed, axis=-1)", "ops.all(seen.observed, axis=-1)",
           "functions.py::test_mask_of_the_result"),
    Mutant("two outputs log under the same keys", "metrics/per_label.py", "if times > 1]",
           "if times > 9]", "per_label_results.py::test_the_same_keys_twice_raise"),
    Mutant("a column with labels is defined", "metrics/of_mean.py",
           "return self.metric.is_defined()", "return super().is_defined()",
           "per_label_results.py::test_undefined_columns_leave_the_mean"),
    # Formulas
    Mutant("Huber is linear at 0", "formulas/robust.py",
           "return ops.where(size <= delta, 0.5 * ops.square(error), linear)", "return linear",
           "residuals.py::test_value_and_slope_are_zero_at_zero"),
    Mutant("smoothing of binary labels", "formulas/crossentropy.py",
           "y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing",
           "y_true = y_true * (1.0 - label_smoothing)", DELETION),
    Mutant("class ids beyond the classes", "formulas/crossentropy.py",
           "ops.less(y_true, classes)", "ops.less(y_true, classes + 100)",
           "bad_input.py::test_class_id_outside_the_classes"),
    Mutant("a fill that is no binary label", "formulas/margin.py",
           "@formula(SIGN, label_fill=1.0)\ndef hinge(",
           "@formula(SIGN, label_fill=0.5)\ndef hinge(",
           "loss_values.py::test_hinge_of_labels_of_0_and_1"),
    Mutant("a member is compared with itself", "formulas/ensembles.py",
           "count - (1.0 - shift) - place", "count - place",
           "quantile_scores.py::test_large_ensembles_lose_nothing"),
    Mutant("holes of a row reach its energy score", EVALUATION,
           "y_pred = _backend.zero_where(holes, y_pred)", "y_pred = 1.0 * y_pred",
           "quantile_scores.py::test_energy_score_of_what_is_observed_of_a_row"),
    # States of metrics
    Mutant("sums without their rounding errors", "metrics/accumulator.py",
           "self._rest.assign(self._rest + left_out)", "pass",
           "metric_streams.py::test_counters_do_not_saturate"),
    Mutant("squares do not follow their origin", "metrics/moments.py",
           "shift * (first + first + gain)", "shift * (first + first)",
           "metric_streams.py::test_any_split"),
    Mutant("origins are not merged", "metrics/moments.py",
           "shifts = ops.stack([mine, theirs], axis=-1) - origin[..., None]",
           "shifts = ops.zeros_like(ops.stack([mine, theirs], axis=-1))",
           "merging.py::test_two_halves"),
    Mutant("a wrapped metric of nothing", "metrics/masked.py",
           'return ops.where(nothing, ops.full_like(value, float("nan")), value)',
           "return value", EMPTY),
    Mutant("regressors cost no freedom", "metrics/r2.py",
           "freedom = labels - self.num_regressors - 1", "freedom = labels - 1",
           "exact.py::test_r2_aggregations"),
    # Configs
    # Bounds
    Mutant("one end of bounds is the marker", "observation/censored.py",
           "absent = find_missing(ends, missing, 1)",
           "absent = find_missing(ends[..., 0], missing)",
           "censored.py::test_what_is_missing"),
    Mutant("beyond a bound costs", "formulas/censored.py",
           "ops.where(inside, y_pred, ops", "ops.where(inside, lower, ops",
           "censored.py::test_slopes_are_those_of_the_distance"),
    Mutant("one tail for both", "formulas/censored.py",
           "> -math.log(2.0)", "> 1.0", "censored_likelihood.py::test_far_tails_and_slopes"),
    Mutant("narrow intervals by difference", "formulas/censored.py",
           "NARROW = 2.0**-6", "NARROW = 0.0",
           "censored_likelihood.py::test_far_tails_and_slopes"),
    Mutant("a config without its rate", "losses/base.py",
           '"observed_rate": self.observed_rate,', "",
           "configs.py::test_config_is_complete"),
]  # fmt: skip


def copy_to(directory: Path) -> Path:
    """Copies what tests need, and returns where the package is."""
    for name in ("keras_masked", "tests"):
        shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, directory / name)
    return directory / "keras_masked"


def run_tests(directory: Path, nodes: list[str]) -> tuple[int, str]:
    """Runs them on the copy; the exit code, what failed and the last line."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *nodes]
    # The copy stands before the checkout that is installed.
    env = {**os.environ, "PYTHONPATH": str(directory), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines() or [done.stderr]
    return done.returncode, " ".join([x for x in lines if x.startswith("FAILED")] + lines[-1:])


def main() -> None:
    """Tries the mutants; survivors make it fail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="part of the names of mutants; by default all")
    names = parser.parse_args().names
    chosen = [m for m in MUTANTS if not names or any(name in m.name for name in names)]
    faults = []
    with tempfile.TemporaryDirectory() as parent:
        whole = Path(parent) / "whole"
        copy_to(whole)
        nodes = sorted({node for mutant in chosen for node in mutant.nodes})
        code, line = run_tests(whole, nodes)
        if code:
            sys.exit(f"The tests fail without any mutant: {line}")
        for i, mutant in enumerate(chosen):
            directory = Path(parent) / str(i)
            mutant.apply(copy_to(directory))
            code, line = run_tests(directory, mutant.nodes)
            verdict = {FOUND: "found", SURVIVED: "SURVIVED"}.get(code, f"BROKEN ({code})")
            print(f"{verdict:9} {mutant.name}: {line}", flush=True)
            faults += [] if code == FOUND else [mutant.name]
            shutil.rmtree(directory)
    print(f"{len(chosen) - len(faults)} of {len(chosen)} mutants were found.")
    sys.exit(f"Not found: {faults}" if faults else 0)


if __name__ == "__main__":
    main()
