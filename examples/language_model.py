"""Teach a small decoder to answer in the words of Python's reference, prompts not learned.

Each text of `pydoc_data.topics`, which ships with Python, is cut into passages. A passage is a
prompt, some twenty words, and an answer, those that come next. The loss counts the answer alone:
prompts and padding, about a third of all tokens, are missing labels.
`LinearCrossentropy` is the last layer, with the embedding's kernel: it never holds the logits, and
takes no time for tokens that do not count.

    python examples/language_model.py [--backend jax|tensorflow|torch] [--epochs N] [--seed S]

It prints the perplexity of passages that training has not seen, beside that of the words'
frequencies; what a step takes in time and memory, beside one with logits; and a few lines that the
model makes up. A model of this size, taught from half a megabyte, knows which words follow each
other and not what they mean: its lines look like Python's reference and say nothing.
"""

from __future__ import annotations

import argparse
import collections
import importlib.util
import os
import re
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Keras picks its backend when it is imported: functions import it, once --backend is read.

Array = NDArray[Any]

PROMPT, ANSWER = 32, 32  # tokens
STEPS = PROMPT + ANSWER
WIDTH, HEADS, BLOCKS, BATCH = 128, 4, 2, 32
IGNORED, PADDING, UNKNOWN = -100, 0, 1
RARE = 2  # words that occur less often are unknown


def main() -> None:
    parser = argparse.ArgumentParser(description="A language model whose prompts do not count.")
    parser.add_argument("--backend", choices=["jax", "tensorflow", "torch"], help="default jax")
    parser.add_argument("--epochs", type=int, default=8, help="default 8")
    parser.add_argument("--seed", type=int, default=0, help="of passages and weights, default 0")
    parser.add_argument("--step", choices=["hidden states", "logits"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.epochs < 1:
        parser.error("--epochs must be at least 1")
    backend = args.backend or os.environ.get("KERAS_BACKEND", "jax")
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no notes on the processor
    require("keras", "keras_masked", backend)
    if args.step:
        measure(args.step)
        return
    words, texts = read()
    train, test = passages(texts, len(words), args.seed)
    counted = np.mean(train[1] != IGNORED)
    print(
        f"{len(texts)} texts, {len(words):,} words, {len(train[0]):,} passages of {STEPS} tokens, "
        f"of which {counted:.0%} count.\nTraining for {args.epochs} epochs on {backend}:"
    )
    model, predictor = build(len(words), args.seed)
    for epoch in range(1, args.epochs + 1):
        history = model.fit(list(train), batch_size=BATCH, verbose=0).history
        scores = model.evaluate(list(test), batch_size=BATCH, verbose=0, return_dict=True)
        print(
            f"epoch {epoch}: perplexity {history['perplexity'][0]:.0f}, of passages not seen "
            f"{scores['perplexity']:.0f} ({scores['accuracy']:.0%} of the words right)"
        )
    print(f"By the frequencies of words alone: {by_frequency(train[1], test[1]):.0f}")
    print("\nA step over a larger vocabulary, with 85 % of the tokens ignored:")
    for kind in ("hidden states", "logits"):
        print(f"  from {kind}: {subprocess_step(kind)}")
    print("\nWhat it says, given the first words of passages it has not seen:")
    for row in test[0][:: max(1, len(test[0]) // 3)][:3]:
        given, said = complete(predictor, row, np.random.default_rng(args.seed))
        print(f"  {text(given, words)} | {text(said, words)}")


def require(*modules: str) -> None:
    """Stop with the command that installs what is missing."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        names = " ".join("." if name == "keras_masked" else name for name in missing)
        raise SystemExit(
            f"This example needs {', '.join(missing)}. In the root of the repository, run:\n"
            f"    pip install {names}"
        )


# Data


def read() -> tuple[list[str], dict[str, list[int]]]:
    """The words, and the texts as their ids; the first two ids are of padding and of rare words."""
    from pydoc_data.topics import topics

    tokens = {name: re.findall(r"\w+|[^\w\s]", body.lower()) for name, body in topics.items()}
    counts = collections.Counter(word for each in tokens.values() for word in each)
    words = ["", "?", *sorted(word for word, n in counts.items() if n >= RARE)]
    ids = {word: i for i, word in enumerate(words)}
    return words, {name: [ids.get(w, UNKNOWN) for w in each] for name, each in tokens.items()}


def passages(
    texts: dict[str, list[int]], words: int, seed: int
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Tokens and the ids that follow them, to train and to test; prompts and padding ignored."""
    rng = np.random.default_rng(seed)
    tokens, ids = [], []
    for each in texts.values():
        for start in range(0, max(1, len(each) - PROMPT), ANSWER):
            part = np.array(each[start : start + STEPS + 1])
            row = np.full(STEPS + 1, PADDING)
            row[: len(part)] = part
            follow = np.where(row[1:] == PADDING, IGNORED, row[1:])
            follow[: rng.integers(PROMPT // 2, PROMPT)] = IGNORED  # the prompt
            tokens.append(row[:-1])
            ids.append(follow)
    order = rng.permutation(len(tokens))
    split = len(order) // 10
    both = np.array(tokens, "int32"), np.array(ids, "int32")
    train, test = (tuple(x[part] for x in both) for part in (order[split:], order[:split]))
    assert max(x.max() for x in (*train, *test)) < words
    return train, test  # type: ignore[return-value]


def by_frequency(seen: Array, new: Array) -> float:
    """The perplexity of words drawn as often as they occur, one added to each count."""
    counts = np.bincount(seen[seen != IGNORED], minlength=max(seen.max(), new.max()) + 1) + 1.0
    return float(np.exp(-np.log(counts / counts.sum())[new[new != IGNORED]].mean()))


# Model


def build(words: int, seed: int) -> tuple[Any, Any]:
    """A model to train, of tokens and ids, and one that predicts logits; they share all layers."""
    import keras

    import keras_masked as km

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    tokens, ids = (keras.Input((STEPS,), dtype="int32") for _ in range(2))
    embedding = layers.ReversibleEmbedding(words, WIDTH, embeddings_initializer="glorot_normal")
    x = embedding(tokens) * WIDTH**0.5
    positions = keras.ops.cumsum(keras.ops.ones_like(tokens), axis=1) - 1
    x = x + layers.Embedding(STEPS, WIDTH)(positions)
    for _ in range(BLOCKS):
        y = layers.LayerNormalization()(x)
        y = layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(y, y, use_causal_mask=True)
        x = x + layers.Dropout(0.2)(y)
        y = layers.Dense(4 * WIDTH, activation="gelu")(layers.LayerNormalization()(x))
        x = x + layers.Dropout(0.2)(layers.Dense(WIDTH)(y))
    hidden = layers.LayerNormalization()(x)
    head = km.layers.LinearCrossentropy(kernel=embedding, missing=IGNORED)
    model = keras.Model([tokens, ids], head([ids, hidden]))
    model.compile(keras.optimizers.AdamW(1e-3, weight_decay=0.01))
    return model, keras.Model(tokens, head(hidden))


def complete(predictor: Any, row: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """A prompt, and as many words again, drawn from the eight likeliest each time."""
    row = row.copy()
    row[PROMPT // 2 :] = PADDING
    for i in range(PROMPT // 2, PROMPT):
        logits = predictor.predict(row[None], verbose=0)[0, i - 1]
        logits[[PADDING, UNKNOWN]] = -np.inf
        likely = np.argsort(logits)[-8:]
        p = np.exp(logits[likely] - logits[likely].max())
        row[i] = rng.choice(likely, p=p / p.sum())
    return row[: PROMPT // 2], row[PROMPT // 2 : PROMPT]


def text(ids: Array, words: list[str]) -> str:
    """Words with spaces between them, but before punctuation."""
    return re.sub(r" ([,.;:)\]])", r"\1", " ".join(words[i] for i in ids))


# What a step costs


def measure(kind: str) -> None:
    """Prints the time of a step, and by how much the peak of memory since the start rises."""
    import keras
    from keras import ops

    import keras_masked as km

    rows, width, words = 1024, 128, 32768
    rng = np.random.default_rng(0)
    ids = rng.integers(0, words, (1, rows)).astype("int32")
    ids[rng.random(ids.shape) < 0.85] = IGNORED
    hidden = rng.normal(size=(1, rows, width)).astype("float32")
    inputs, labels = keras.Input((rows, width)), keras.Input((rows,), dtype="int32")
    if kind == "logits":
        loss = km.losses.SparseCategoricalCrossentropy(from_logits=True, missing=IGNORED)
        model = keras.Sequential([inputs, keras.layers.Dense(words, use_bias=False)])
        model.compile("sgd", loss)
        step = lambda: model.train_on_batch(hidden, ids)  # noqa: E731
    else:
        head = km.layers.LinearCrossentropy(words, missing=IGNORED)
        model = keras.Model([labels, inputs], head([labels, inputs]))
        model.compile("sgd")
        step = lambda: model.train_on_batch([ids, hidden])  # noqa: E731
    ops.convert_to_numpy(ops.zeros(1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step()  # compiles
    began = time.perf_counter()
    for _ in range(3):
        step()
    seconds = (time.perf_counter() - began) / 3
    rise = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{1000 * seconds:.0f} ms, peak of memory up by {rise:.0f} MB")


def subprocess_step(kind: str) -> str:
    """What `measure` prints: memory that one step has taken is not given back to the next."""
    command = [sys.executable, __file__, "--step", kind]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1]


if __name__ == "__main__":
    main()
