"""Learn four physical properties of molecules from a table that is half holes.

The same Keras model is trained three ways; only the treatment of missing labels differs:

1. rows dropped: every molecule that lacks a label is left out;
2. holes filled: a missing label becomes the mean of its column;
3. keras_masked: the labels stay as they are, NaN where nobody measured.

    python examples/quickstart.py [--backend jax|tensorflow|torch] [--seeds N] [--out DIR]

Data: "Physical Constants of Organic Compounds", CRC Handbook of Chemistry and Physics, 95th
edition (2014): melting points, boiling points, densities and refractive indices. The holes are
the table's own, and not random: density and refractive index are given for liquids, so the
complete rows are mostly substances that melt below room temperature. Structures are SMILES
strings from PubChem, matched by CAS number. Both ship inside the PyPI package `chemicals` (Caleb
Bell and contributors, MIT licence). Rows without a structure or without any label are left out.

Split: seed s draws its own random 70 % of the molecules for training, 10 % for validation and
20 % for testing, the same for all three ways, and its own initial weights. Scored are the
*observed* labels of the test molecules, in incomplete rows too; how well a label is predicted
where nobody measured it, nobody can score. The labels' means and scales and the features'
vocabulary come from the training molecules alone.

Fairness: all three see equally many batches (rows left after dropping are repeated), and keep
the epoch that is best on the observed validation labels. Only a masked metric can measure that,
so this favours the first two.
"""

import argparse
import csv
import importlib.resources
import importlib.util
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Keras picks its backend when it is imported: functions import it, once --backend is read.

Array = NDArray[Any]

COLUMNS = ["Tm", "Tb", "rho", "RI"]
LABELS = ["melting point", "boiling point", "density", "refractive index"]
WAYS = {"rows dropped": "#8c8c8c", "holes filled": "#e08a00", "keras_masked": "#0067b1"}
TOKEN = re.compile(r"\[[^]]*\]|Br|Cl|.")  # one atom, bond, branch or ring mark of a SMILES string
VOCABULARY, WIDTH, EPOCHS, BATCH = 512, 256, 20, 256


class Split(NamedTuple):
    """One seed's data by part: features, and standardised labels with NaN where missing."""

    x: dict[str, Array]
    y: dict[str, Array]
    mean: Array
    scale: Array


def main() -> None:
    parser = argparse.ArgumentParser(description="Three ways to train on labels with holes.")
    parser.add_argument("--backend", choices=["jax", "tensorflow", "torch"], help="default jax")
    parser.add_argument("--seeds", type=int, default=5, help="repetitions, default 5")
    parser.add_argument(
        "--out", type=Path, default=Path(), help="folder for picture, model and report"
    )
    args = parser.parse_args()
    if args.seeds < 1:
        parser.error("--seeds must be at least 1")
    backend = args.backend or os.environ.get("KERAS_BACKEND", "jax")
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no notes on the processor
    require("keras", "keras_masked", "chemicals", "matplotlib", backend)
    import keras

    fragments, labels = load()
    complete = np.isfinite(labels).all(axis=1)
    print(
        f"{len(labels):,} molecules, {len(LABELS)} labels each, {np.isnan(labels).mean():.0%} "
        f"missing; {complete.mean():.0%} of the rows ({complete.sum():,}) complete.\n"
        f"Training {len(WAYS)} models for each of {args.seeds} seeds on {backend}:"
    )
    progress = keras.utils.Progbar(args.seeds * len(WAYS), unit_name="model")
    scores = np.empty((len(WAYS), args.seeds, len(LABELS) + 1))  # last column: macro
    counts = np.empty((args.seeds, len(LABELS)))
    for seed in range(args.seeds):
        split = make_split(fragments, labels, seed)
        counts[seed] = np.isfinite(split.y["test"]).sum(axis=0)
        predictions = []
        for i, way in enumerate(WAYS):
            model = train(split, way, seed)
            predictions.append(model.predict(split.x["test"], batch_size=1024, verbose=0))
            scores[i, seed] = r2(split.y["test"], predictions[-1])
            progress.add(1)
    print(table(scores, counts))
    args.out.mkdir(parents=True, exist_ok=True)
    draw(args.out / "quickstart.png", labels, scores, split, predictions)
    check_saved(model, split, args.out / "quickstart.keras")
    report(split, predictions[-1], args.out / "report.html")


def require(*modules: str) -> None:
    """Stop with the command that installs what is missing."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        names = " ".join("." if name == "keras_masked" else name for name in missing)
        raise SystemExit(
            f"This example needs {', '.join(missing)}. In the root of the repository, run:\n"
            f"    pip install {names}"
        )


def load() -> tuple[list[Counter[str]], Array]:
    """The molecules' fragments, and the label table with NaN where a value is missing."""
    folder = Path(str(importlib.resources.files("chemicals")))
    structures = {}
    for path in folder.glob("Identifiers/chemical identifiers pubchem *.tsv"):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                _, cas, _, _, smiles, _ = line.split("\t", 5)
                structures[cas] = smiles
    path = folder / "Misc" / "Physical Constants of Organic Compounds.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    rows = [r for r in rows if r["CAS"] in structures and any(r[name] for name in COLUMNS)]
    labels = [[float(r[name] or "nan") for name in COLUMNS] for r in rows]
    fragments = [count_fragments(structures[r["CAS"]]) for r in rows]
    return fragments, np.array(labels, dtype="float32")


def count_fragments(smiles: str) -> Counter[str]:
    """Count the runs of one to four tokens in a SMILES string: a crude, fast fingerprint."""
    tokens = TOKEN.findall(smiles)
    runs = (tokens[i : i + n] for n in range(1, 5) for i in range(len(tokens) - n + 1))
    return Counter("".join(run) for run in runs)


def make_split(fragments: list[Counter[str]], labels: Array, seed: int) -> Split:
    """Shuffle with `seed`, cut 70 / 10 / 20, and scale by the training part alone."""
    order = np.random.default_rng(seed).permutation(len(labels))
    whole = int(0.7 * len(order)) // BATCH * BATCH  # whole batches: one compilation, not two
    cuts = [whole, int(0.8 * len(order))]
    parts = dict(zip(["train", "validation", "test"], np.split(order, cuts), strict=True))
    common = Counter(name for i in parts["train"] for name in fragments[i])
    column = {name: j for j, (name, _) in enumerate(common.most_common(VOCABULARY))}
    x = np.zeros((len(labels), len(column)), dtype="float32")
    for i, counts in enumerate(fragments):
        for name in counts.keys() & column.keys():
            x[i, column[name]] = np.log1p(counts[name])
    mean = np.nanmean(labels[parts["train"]], axis=0)
    scale = np.nanstd(labels[parts["train"]], axis=0)
    y = (labels - mean) / scale
    cut_x, cut_y = ({part: a[rows] for part, rows in parts.items()} for a in (x, y))
    return Split(cut_x, cut_y, mean, scale)


def train(split: Split, way: str, seed: int) -> Any:
    """The same model, batches and optimizer for each way; only labels and loss differ."""
    import keras

    import keras_masked as km

    x, y = split.x["train"], split.y["train"]
    loss: Any = keras.losses.MeanSquaredError()
    if way == "rows dropped":
        complete = np.flatnonzero(np.isfinite(y).all(axis=1))
        rows = np.resize(complete, len(y))  # repeated, so that an epoch has as many batches
        x, y = x[rows], y[rows]
    elif way == "holes filled":
        y = np.nan_to_num(y, nan=0.0)  # the labels are standardised: 0 is their column's mean
    else:
        loss = km.losses.MeanSquaredError()

    model, keep_best = network(x.shape[1], loss, seed)
    model.fit(
        x,
        y,
        batch_size=BATCH,
        epochs=EPOCHS,
        callbacks=[keep_best],
        validation_data=(split.x["validation"], split.y["validation"]),
        validation_batch_size=len(split.x["validation"]),
        verbose=0,
    )
    return model


def network(features: int, loss: Any, seed: int) -> tuple[Any, Any]:
    """A compiled model with fresh weights, and the callback that keeps its best epoch."""
    import keras

    import keras_masked as km

    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((features,))])
    for _ in range(2):
        model.add(keras.layers.Dense(WIDTH, activation="relu"))
        model.add(keras.layers.Dropout(0.1))
    model.add(keras.layers.Dense(len(LABELS)))
    model.compile("adamw", loss, metrics=[km.metrics.R2Score(name="r2")])
    keep_best = keras.callbacks.EarlyStopping(
        "val_r2", mode="max", patience=EPOCHS, restore_best_weights=True
    )
    return model, keep_best


def r2(truth: Array, prediction: Array) -> Array:
    """R2 of each label on its observed entries, and their mean."""
    import keras

    import keras_masked as km

    metric = km.metrics.R2Score(class_aggregation=None)
    metric.update_state(truth, prediction)
    each = keras.ops.convert_to_numpy(metric.result())
    return np.append(each, each.mean())


def table(scores: Array, counts: Array) -> str:
    """Means over the seeds, and whether keras_masked gains on the better of the others.

    Seeds share molecules, so their mean is less certain than sd / sqrt(n) says. A gain counts
    beyond 2 sd: with five seeds, that is Nadeau and Bengio's corrected 95 % interval.
    """
    gain = scores[2] - scores[:2].max(axis=0)
    support = [*counts.mean(axis=0), counts.sum(axis=1).mean()]
    lines = [
        "\nR2 on the observed labels of the test molecules, mean ± sd over the seeds.",
        "Gain: keras_masked less the better of the other two, seed by seed; clear beyond 2 sd.\n",
        " " * 16 + "".join(f"{head:>16}" for head in ("test labels", *WAYS, "gain")),
    ]
    for k, name in enumerate([*LABELS, "macro"]):
        columns = [*scores[..., k], gain[:, k]]
        # One seed has no spread: NaN, and no verdict but the cautious one.
        sds = [c.std(ddof=1) if len(c) > 1 else np.nan for c in columns]
        numbers = "".join(
            f"{c.mean():>8.3f} ± {sd:.3f}" for c, sd in zip(columns, sds, strict=True)
        )
        sigmas = gain[:, k].mean() / sds[-1]
        verdict = "gains" if sigmas > 2 else "loses" if sigmas < -2 else "no clear gain"
        lines.append(f"{name:<16}{support[k]:>16,.0f}{numbers}  {verdict}")
    return "\n".join(lines)


def draw(path: Path, labels: Array, scores: Array, split: Split, predictions: list[Array]) -> None:
    """The holes above; below, how well each way does, and what it predicts (last seed)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7.6), dpi=130, layout="constrained")
    dropped, filled, masked = scores[..., -1].mean(axis=1)
    figure.suptitle(
        f"Same model, same molecules: mean R² {masked:.2f} from every measured label,\n"
        f"{dropped:.2f} when incomplete rows are dropped, {filled:.2f} when holes are filled",
        fontsize=15,
        fontweight="bold",
    )
    axes = figure.subplot_mosaic(
        [["holes"] * 4, ["scores", *"012"], ["scores", *"345"]],
        height_ratios=[1, 2.4, 2.4],
        width_ratios=[1.6, 1, 1, 1],
    )
    draw_holes(axes["holes"], np.isfinite(labels))
    draw_scores(axes["scores"], scores)
    for panel in range(6):
        k, i = divmod(panel, 3)
        way, color = list(WAYS.items())[i]
        axis = axes[str(panel)]
        truth = split.y["test"][:, k] * split.scale[k] + split.mean[k]
        guess = predictions[i][:, k] * split.scale[k] + split.mean[k]
        ends = np.nanpercentile(truth, [0.2, 99.8])
        axis.plot(ends, ends, color="black", lw=0.8)
        axis.scatter(truth, guess, s=6, alpha=0.35, color=color, linewidths=0)
        axis.set(xlim=ends, ylim=ends, xlabel=f"measured {LABELS[k]}, K")
        axis.set_title(f"{way}: R² {scores[i, -1, k]:.2f}", color=color, fontsize=11)
        axis.tick_params(labelleft=i == 0)
        if i == 0:
            axis.set_ylabel(f"predicted {LABELS[k]}, K")
    figure.savefig(path)
    print(f"\nDrawn: {path}")


def draw_holes(axis: Any, observed: Array) -> None:
    """The label table on its side: one column per molecule, the complete ones first."""
    complete = int(observed.all(axis=1).sum())
    rest = len(observed) - complete
    order = np.lexsort([*observed.T[::-1], observed.sum(axis=1)])[::-1]
    axis.imshow(observed[order].T, aspect="auto", cmap="Blues", vmax=1.6, interpolation="nearest")
    axis.axvline(complete, color="black", lw=1.5)
    axis.set_yticks(range(len(LABELS)), LABELS)
    notes = [f"{complete:,} complete rows:\nall that dropping leaves", f"{rest:,} rows with holes"]
    axis.set_xticks([complete / 2, complete + rest / 2], notes)


def draw_scores(axis: Any, scores: Array) -> None:
    """A dot per seed, a bar at their mean."""
    for i, (way, color) in enumerate(WAYS.items()):
        for k, values in enumerate(scores[i].T):
            height = k + (i - 1) * 0.22
            axis.vlines(values.mean(), height - 0.1, height + 0.1, color=color, lw=3)
            axis.plot(values, [height] * len(values), "o", color=color, ms=4, alpha=0.5)
        axis.plot([], [], "o", color=color, label=way)
    axis.set_yticks(range(len(LABELS) + 1), [*LABELS, "macro"])
    axis.axhline(len(LABELS) - 0.5, color="black", lw=0.8)
    axis.invert_yaxis()
    axis.set_xlabel("R² on the observed test labels (a dot per seed)")
    axis.legend()


def check_saved(model: Any, split: Split, path: Path) -> None:
    """Save, load (no custom objects are needed), and compare predictions and metrics."""
    import keras

    model.save(path)
    loaded = keras.models.load_model(path)
    x, y = split.x["test"], split.y["test"]
    same = np.allclose(model.predict(x, verbose=0), loaded.predict(x, verbose=0), atol=1e-6)
    before, after = (m.evaluate(x, y, return_dict=True, verbose=0) for m in (model, loaded))
    if not same or not all(np.isclose(before[name], after[name]) for name in before):
        raise SystemExit(f"{path}: the loaded model differs: {before} became {after}")
    numbers = ", ".join(f"{name} {value:.4f}" for name, value in after.items())
    print(f"Saved: {path}. Loaded again, predictions and metrics agree: {numbers}")


def report(split: Split, prediction: Array, path: Path) -> None:
    """Every label of the last model with its interval, as a table and as one page."""
    import keras_masked as km

    found = km.report(split.y["test"], prediction, labels=LABELS)
    print(f"\nThe last model, in standard deviations of the labels:\n\n{found}")
    found.save(path)
    print(f"\nSaved: {path}, to be opened in any browser")


if __name__ == "__main__":
    main()
