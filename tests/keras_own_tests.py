"""Keras's own tests of losses and metrics, run on our classes: `nox -s keras_tests`.

Keras ships its tests. Copies that import our classes in place of Keras's run in a folder of their
own; what fails must be what docs/differences.md argues by name, no test more and none less.
"""

from __future__ import annotations

import fnmatch
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = "docs/differences.md, Keras's own tests"

FILES = [
    "losses/losses_test.py",
    "metrics/accuracy_metrics_test.py",
    "metrics/confusion_metrics_test.py",
    "metrics/correlation_metrics_test.py",
    "metrics/f_score_metrics_test.py",
    "metrics/hinge_metrics_test.py",
    "metrics/iou_metrics_test.py",
    "metrics/probabilistic_metrics_test.py",
    "metrics/reduction_metrics_test.py",
    "metrics/regression_metrics_test.py",
]

OURS = [
    (r"^from keras\.src\.(?:losses|metrics) import (\w+_metrics) as metrics$", "metrics"),
    (r"^from keras\.src\.metrics import (\w+_metrics)$", r"metrics as \1"),
    (r"^from keras\.src\.losses import losses$", "losses"),
    (r"^from keras\.src import metrics$", "metrics"),
]
CLASSES = r"^from keras\.src\.metrics import ([A-Z]\w+)$"

ARGUED = """
losses_test CosineSimilarityTest::test_config
losses_test HuberLossTest::test_config
losses_test LogCoshTest::test_config
losses_test *HingeTest::test_unweighted
losses_test SparseCategoricalCrossentropyTest::test_*_segmentation_different_axis
losses_test TverskyTest::test_*custom_coefficients*
losses_test DiceTest::test_correctness
losses_test DiceTest::test_dtype_arg
losses_test TverskyTest::test_correctness
losses_test TverskyTest::test_dtype_arg
losses_test CTCTest::test_correctness
losses_test CTCTest::test_dtype_arg
accuracy_metrics_test SparseCategoricalAccuracyTest::test_reshape_matches
confusion_metrics_test *Test::test_config
confusion_metrics_test *Test::test_threshold_limit
confusion_metrics_test *Test::test_invalid_*
confusion_metrics_test AUCTest::test_config_manual_thresholds
confusion_metrics_test RecallTest::test_div_by_zero
f_score_metrics_test FBetaScoreTest::test_beta_*_raises_value_error
f_score_metrics_test FBetaScoreTest::test_threshold_*_raises_value_error
f_score_metrics_test FBetaScoreTest::test_invalid_average_raises_value_error
f_score_metrics_test FBetaScoreTest::test_fbeta_weighted_random_score_none1
f_score_metrics_test FBetaScoreTest::test_fbeta_weighted_random_score_none4
f_score_metrics_test FBetaScoreTest::test_fbeta_weighted_random_score_none7
f_score_metrics_test FBetaScoreTest::test_fbeta_weighted_random_score_none19
f_score_metrics_test FBetaScoreTest::test_fbeta_weighted_random_score_none22
f_score_metrics_test FBetaScoreTest::test_fbeta_weighted_random_score_none25
f_score_metrics_test FBetaScoreTest::test_non_2d_input_shapes_raises_value_error
f_score_metrics_test FBetaScoreTest::test_undefined_output_dim_raises_value_error
hinge_metrics_test *HingeTest::test_config
iou_metrics_test *IoUTest::test_zero_valid_entries
iou_metrics_test IoUTest::test_negative_y_pred_ignored
iou_metrics_test IoUTest::test_out_of_range_y_pred_ignored
iou_metrics_test IoUTest::test_out_of_range_y_true_ignored
iou_metrics_test MeanIoUTest::test_out_of_range_ignored
iou_metrics_test MeanIoUTest::test_user_warning_float_weight
iou_metrics_test MeanIoUTest::test_big_chunk
probabilistic_metrics_test *Test::test_config
probabilistic_metrics_test SparseCategoricalCrossentropyTest::test_ignore_class*
reduction_metrics_test SumTest::test_config
regression_metrics_test *Test::test_config
regression_metrics_test R2ScoreTest::test_errors
regression_metrics_test R2ScoreTest::test_r2_tfa_comparison[124578]
""".strip().splitlines()
"""The tests that fail, and are argued: the file and the name of each, or of several."""

PASS_ON = {"torch": {"SparseCategoricalCrossentropyTest::test_*_segmentation_different_axis"}}
"""Of those, the ones that pass on a backend."""


def main() -> None:
    import keras

    source = Path(keras.__file__).parent / "src"
    with tempfile.TemporaryDirectory() as folder:
        for file in FILES:
            (Path(folder) / Path(file).name).write_text(on_ours((source / file).read_text()))
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        options = ["-q", "--tb=no", "-rf", "-p", "no:cacheprovider", "-o", "python_files=*_test.py"]
        command = [sys.executable, "-m", "pytest", *options, *sys.argv[1:], "."]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    failed = set(re.findall(r"^FAILED (\w+)\.py::(\S+)", done.stdout, flags=re.MULTILINE))
    passed = re.search(r"(\d+) passed", done.stdout)
    if done.returncode not in (0, 1) or passed is None or int(passed[1]) < 400:
        raise SystemExit(done.stdout + done.stderr)
    print(done.stdout.strip().splitlines()[-1])
    report({f"{file} {name}" for file, name in failed}, keras.config.backend())


def on_ours(text: str) -> str:
    """A file of Keras's tests with our classes in place of Keras's."""
    found = text
    for pattern, names in OURS:
        found = re.sub(pattern, f"from keras_masked import {names}", found, flags=re.MULTILINE)
    found = re.sub(CLASSES, r"from keras_masked.metrics import \1", found, flags=re.MULTILINE)
    if found == text:
        raise SystemExit("a file of Keras's tests imports its classes in a way that is not known")
    return found


def report(failed: set[str], backend: str) -> None:
    """Exits with what fails without an argument, and with arguments for what does not fail."""
    new = {name for name in failed if not any(fnmatch.fnmatch(name, each) for each in ARGUED)}
    stale = {
        each
        for each in ARGUED
        if not fnmatch.filter(failed, each) and each.split()[1] not in PASS_ON.get(backend, ())
    }
    if new or stale:
        lines = [f"not argued on {PAGE}: {name}" for name in sorted(new)]
        lines += [f"argued, but does not fail: {each}" for each in sorted(stale)]
        raise SystemExit("\n".join(lines))
    print(f"{len(failed)} fail, each argued on {PAGE}")


if __name__ == "__main__":
    main()
