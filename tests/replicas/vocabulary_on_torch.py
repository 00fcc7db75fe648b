"""A language model under `DistributedDataParallel`; arguments: rank, port, file.

Two processes take one step together, by the layer's loss and by the function's, as one process
does. Reports losses and weights, by the way on which they came.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

import keras_masked as km

ROWS, STEPS, WORDS, WIDTH, PROCESSES = 8, 6, 20, 8, 2
RANK, PORT = int(sys.argv[1]), sys.argv[2]
RANDOM = np.random.default_rng(0)
TOKENS = RANDOM.integers(1, WORDS, (ROWS, STEPS)).astype("int32")
IDS = RANDOM.integers(0, WORDS, (ROWS, STEPS)).astype("int32")
IDS[RANDOM.random((ROWS, STEPS)) < 0.4] = -100
IDS[5:] = -100  # the second process sees one row with labels
MINE = slice(ROWS // PROCESSES * RANK, ROWS // PROCESSES * (RANK + 1))


class OfFunction(torch.nn.Module):
    """Hidden states, and a kernel that is given to the loss outside."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.embedding = torch.nn.Parameter(torch.randn(WORDS, WIDTH, generator=generator))
        self.kernel = torch.nn.Parameter(torch.randn(WIDTH, WORDS, generator=generator))

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.embedding[tokens], self.kernel


def of_function(several: bool, rows: slice) -> dict[str, Any]:
    network: Any = OfFunction()
    parameters = list(network.parameters())
    network = DistributedDataParallel(network) if several else network
    hidden, kernel = network(torch.as_tensor(TOKENS[rows]))
    loss = km.losses.linear_crossentropy(IDS[rows], hidden, kernel, missing=-100, chunk=5)
    return stepped(loss, parameters)


def of_layer(several: bool, rows: slice) -> dict[str, Any]:
    keras.utils.set_random_seed(0)
    tokens, ids = (keras.Input((STEPS,), dtype="int32") for _ in range(2))
    embedding = keras.layers.ReversibleEmbedding(WORDS, WIDTH)
    hidden = keras.layers.Dense(WIDTH, "tanh")(embedding(tokens))
    head = km.layers.LinearCrossentropy(kernel=embedding, missing=-100, chunk=5)
    model = keras.Model([tokens, ids], head([ids, hidden]))
    network = DistributedDataParallel(model) if several else model
    network([torch.as_tensor(TOKENS[rows]), torch.as_tensor(IDS[rows])])
    return stepped(sum(model.losses), list(model.parameters()))


def stepped(loss: Any, parameters: list[Any]) -> dict[str, Any]:
    """The loss, and the weights after one step."""
    loss.backward()
    torch.optim.SGD(parameters, 1.0).step()
    weights = [each.detach().ravel().tolist() for each in parameters]
    return {"loss": [float(loss.detach())], "weights": sum(weights, [])}


WAYS = {"function": of_function, "layer": of_layer}
one = {name: way(False, slice(None)) for name, way in WAYS.items()}
address = f"tcp://127.0.0.1:{PORT}"
dist.init_process_group("gloo", init_method=address, rank=RANK, world_size=PROCESSES)
with km.replicas():
    many = {name: way(True, MINE) for name, way in WAYS.items()}
unasked = {name: way(True, MINE) for name, way in WAYS.items()}
dist.destroy_process_group()
if RANK == 0:
    Path(sys.argv[3]).write_text(json.dumps({"one": one, "many": many, "unasked": unasked}))
