"""Predict twelve toxicity assays at once from a table in which 17 % of the labels are missing.

Only 39 % of the rows are complete. `keras_masked` trains and scores on every label that there is;
its metric is compared, assay by assay, with scikit-learn's on data without the missing labels.

    python examples/tox21.py [--csv PATH] [--backend jax|tensorflow|torch] [--out FILE.png]
                             [--report FILE.html]

Model: 1,024-bit circular (Morgan) fingerprints of radius 2, two dense layers with dropout, one
logit per assay; AdamW as Keras sets it up.

Split: each seed draws its own random 20 % of the compounds for validation and its own initial
weights. A tenth of the others says when to stop; the validation part is looked at only once. Rows
of one compound (equal canonical SMILES) stay together.

Source: the public Tox21 programme of NIH and NCATS, distributed by DeepChem (https://deepchem.io)
under the MIT licence. DeepChem reports a macro AUC of 0.783 for such a network on a random split.
"""

import argparse
import csv
import gzip
import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Keras picks its backend when it is imported: functions import it, once --backend is read.

Array = NDArray[Any]

URL = "https://deepchemdata.s3-us-west-1.amazonaws.com/datasets/tox21.csv.gz"
PUBLISHED, TOLERANCE = 0.783, 1e-3
BITS, WIDTH, BATCH, EPOCHS = 1024, 256, 128, 40

# `AUC` counts predictions between thresholds. A positive and a negative between the same two count
# as half right, so the area is off by at most half the share of such pairs. Active compounds are
# rare: most probabilities are close to 0, where evenly spaced thresholds would lump them together.
# In steps of 0.01 in the logit about 0.2 % of the pairs share one: an error of 1e-3 would take all
# of these ranked alike. Measured: 2e-4, against up to 1.5e-2 with 200 evenly spaced thresholds.
THRESHOLDS = tuple(float(p) for p in 1 / (1 + np.exp(-np.arange(-12, 12.005, 0.01))))


def main() -> None:
    parser = argparse.ArgumentParser(description="Multi-task toxicity prediction on Tox21.")
    parser.add_argument("--csv", type=Path, help="the table, .csv or .csv.gz; default: download")
    parser.add_argument("--backend", choices=["jax", "tensorflow", "torch"], help="default jax")
    parser.add_argument("--seed", type=int, default=0, help="the first seed, default 0")
    parser.add_argument("--seeds", type=int, default=3, help="how many, default 3")
    parser.add_argument("--out", type=Path, help="draw the assays' AUC to this file")
    parser.add_argument("--report", type=Path, help="save a page on the first seed to this file")
    args = parser.parse_args()
    backend = args.backend or os.environ.get("KERAS_BACKEND", "jax")
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # no notes on the processor,
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # and the same sums on each
    require(
        "keras",
        "keras_masked",
        "rdkit",
        "sklearn",
        backend,
        *["matplotlib"] * bool(args.out or args.report),
    )

    assays, smiles, labels = load(args.csv)
    x, labels, compounds = featurize(smiles, labels)
    print(
        f"{len(x):,} rows, {len(assays)} assays: {np.isnan(labels).mean():.0%} of the labels are "
        f"missing, {np.isfinite(labels).all(axis=1).mean():.0%} of the rows are complete. "
        f"Dropped: {len(smiles) - len(x)} rows whose SMILES RDKit cannot parse."
    )
    runs = []
    for seed in range(args.seed, args.seed + args.seeds):
        validation, logits = run(x, labels, compounds, seed)
        runs.append(score(validation, logits))
        if seed == args.seed:
            first = validation, logits
        print(f"seed {seed}: macro validation AUC {runs[-1][-1, 2]:.3f}", flush=True)
    compare([*assays, "macro"], np.array(runs))
    report(assays, *first, args.report)
    if args.out:
        draw(args.out, assays, np.array(runs)[:, :-1, 2])


def require(*modules: str) -> None:
    """Stop with the command that installs what is missing."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        packages = {"keras_masked": ".", "sklearn": "scikit-learn"}
        raise SystemExit(
            f"This example needs {', '.join(missing)}. In the root of the repository, run:\n"
            f"    pip install {' '.join(packages.get(name, name) for name in missing)}"
        )


def load(path: Path | None) -> tuple[list[str], list[str], Array]:
    """Names of the assays, SMILES strings, and the labels: 0, 1, or NaN where missing."""
    import keras

    path = path or Path(keras.utils.get_file(origin=URL))
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assays = [name for name in rows[0] if name not in ("mol_id", "smiles")]
    labels = [[float(row[name] or "nan") for name in assays] for row in rows]
    return assays, [row["smiles"] for row in rows], np.array(labels, dtype="float32")


def featurize(smiles: list[str], labels: Array) -> tuple[Array, Array, Array]:
    """Fingerprints, labels and compound numbers of the rows that can be parsed."""
    from rdkit import Chem, RDLogger
    from rdkit.Chem import rdFingerprintGenerator

    RDLogger.DisableLog("rdApp.*")  # it warns of unusual valences, hundreds of times
    molecules = [Chem.MolFromSmiles(text) for text in smiles]
    keep = [i for i, molecule in enumerate(molecules) if molecule is not None]
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS)
    x = np.array([generator.GetFingerprintAsNumPy(molecules[i]) for i in keep], dtype="float32")
    canonical = [Chem.MolToSmiles(molecules[i]) for i in keep]
    return x, labels[keep], np.unique(canonical, return_inverse=True)[1]


def run(x: Array, y: Array, compounds: Array, seed: int) -> tuple[Array, Array]:
    """Train on one split: the labels of its validation part, and what is predicted for them."""
    import keras

    draws = np.random.default_rng(seed).random(compounds.max() + 1)[compounds]
    train, stop, validation = draws < 0.72, (draws >= 0.72) & (draws < 0.8), draws >= 0.8
    model = fit((x[train], y[train]), (x[stop], y[stop]), seed)
    logits = model(x[validation], training=False)  # few enough for one batch
    return y[validation], keras.ops.convert_to_numpy(logits)


def fit(train: tuple[Array, Array], stop: tuple[Array, Array], seed: int) -> Any:
    import keras

    import keras_masked as km

    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((BITS,)), keras.layers.Dropout(0.2)])
    for _ in range(2):
        model.add(keras.layers.Dense(WIDTH, activation="relu"))
        model.add(keras.layers.Dropout(0.5))
    model.add(keras.layers.Dense(train[1].shape[1]))
    model.compile(
        optimizer="adamw",
        loss=km.losses.BinaryCrossentropy(from_logits=True),
        metrics=[auc(multi_label=True, name="auc")],
    )
    stopping = {"mode": "max", "patience": 5, "restore_best_weights": True}
    early = keras.callbacks.EarlyStopping("val_auc", **stopping)
    model.fit(*train, BATCH, EPOCHS, verbose=0, callbacks=[early], validation_data=stop)
    return model


def auc(**options: Any) -> Any:
    import keras_masked as km

    return km.metrics.AUC(thresholds=THRESHOLDS, from_logits=True, **options)


def score(y: Array, logits: Array) -> Array:
    """Labels, positives, AUC by our metric and by scikit-learn on deleted data: assays, macro."""
    from sklearn.metrics import roc_auc_score

    rows = []
    for labels, predictions in zip(y.T, logits.T, strict=True):
        metric = auc()
        metric.update_state(labels, predictions)
        seen = np.isfinite(labels)
        theirs = roc_auc_score(labels[seen], predictions[seen])
        rows.append([metric.support(), labels[seen].sum(), metric.result(), theirs])
    each = np.array([[float(value) for value in row] for row in rows])
    return np.vstack([each, [*each[:, :2].sum(axis=0), *each[:, 2:].mean(axis=0)]])


def compare(names: list[str], results: Array) -> None:
    """The table of the first seed beside the mean over all; stop if the two AUC disagree."""
    line = "{:<14}{:>7}{:>10}{:>13}{:>13}{:>18}".format
    print(
        "\nROC AUC on the observed validation labels of the first seed; mean ± sd over all seeds\n"
    )
    print(line("assay", "labels", "positives", "keras_masked", "scikit-learn", "all seeds"))
    for name, cells, areas in zip(names, results[0], results[..., 2].T, strict=True):
        counts, both = [f"{n:,.0f}" for n in cells[:2]], [f"{area:.4f}" for area in cells[2:]]
        print(line(name, *counts, *both, f"{areas.mean():.3f} ± {areas.std():.3f}"))
    print(f"\nReported by DeepChem for such a network on a random split: macro {PUBLISHED}")
    worst = np.abs(results[..., 2] - results[..., 3]).max()
    if not worst < TOLERANCE:
        raise SystemExit(f"FAILED: keras_masked and scikit-learn differ by {worst:.1e}")
    print(f"keras_masked agrees with scikit-learn on deleted data: largest difference {worst:.1e}")


def report(assays: list[str], labels: Array, logits: Array, path: Path | None) -> None:
    """Every assay of the first seed with its interval: which of them differ?"""
    import keras_masked as km

    found = km.report(labels, logits, labels=assays)
    print(f"\nThe first seed:\n\n{found}")
    if path:
        found.save(path)
        print(f"\nSaved: {path}")


def draw(path: Path, assays: list[str], areas: Array) -> None:
    """A bar per assay: the mean over the seeds, with its standard deviation."""
    from matplotlib.figure import Figure

    axis = Figure(figsize=(7, 4), dpi=130, layout="constrained").subplots()
    axis.barh(assays, areas.mean(axis=0), xerr=areas.std(axis=0), color="#0067b1")
    axis.axvline(areas.mean(), color="black", lw=1, ls="--", label=f"macro {areas.mean():.3f}")
    axis.set(xlim=(0.5, 1), ylim=(len(assays) - 0.4, -0.6), xlabel="ROC AUC, observed labels only")
    axis.legend(loc="lower right")
    axis.figure.savefig(path)
    print(f"{path}: drawn")


if __name__ == "__main__":
    main()
