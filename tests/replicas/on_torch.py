"""`DistributedDataParallel` over two processes; arguments: rank, port, file."""

import sys

import numpy as np
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

import keras_masked as km
from tests.replicas import common
from tests.replicas.common import GROUPS, means_of_means, metrics, report, table, train

BATCH, PROCESSES = 4, 2
SHARE = BATCH // PROCESSES
# The last batch to train on has 2 + 1 rows. `evaluate` in one process weights batches by the rows
# of that process, so its batches are whole.
TRAIN, TEST = table(11, 2, seed=1), table(12, 2, seed=2)
RANK, PORT = int(sys.argv[1]), sys.argv[2]


def part(data):
    """What one process sees: its share of every batch."""
    mine = np.arange(len(data[0])) // SHARE % PROCESSES == RANK
    return tuple(array[mine] for array in data)


def fit(network, data, batch_size):
    """A training loop in PyTorch, for one epoch."""
    x, y, weights = data["x"], data["y"], data.get("sample_weight")
    losses = next(losses for losses in GROUPS.values() if losses.keys() == y.keys())
    parallel = DistributedDataParallel(network)
    optimizer = torch.optim.SGD(parallel.parameters(), 0.05)
    logs = dict.fromkeys(["loss", *(f"{name}_loss" for name in losses)], 0.0)
    for start in range(0, len(x), batch_size):
        batch = slice(start, start + batch_size)
        outputs = parallel(torch.as_tensor(x[batch]))
        values = {
            name: loss(
                y[name][batch], outputs[name], None if weights is None else weights[name][batch]
            )
            for name, loss in losses.items()
        }
        optimizer.zero_grad()
        loss = sum(values.values())
        loss.backward()
        optimizer.step()
        first = start * PROCESSES
        rows = min(first + BATCH, len(TRAIN[0])) - first
        for name, value in values.items():
            logs[f"{name}_loss"] += float(value) * rows / len(TRAIN[0])
        logs["loss"] += float(loss) * rows / len(TRAIN[0])
    return logs


def train_parts():
    trained_by = common.fit if common.KERAS_DISTRIBUTES_TORCH else fit
    return train(part(TRAIN), part(TEST), SHARE, fit=trained_by)


# Before there is a process group, of which Keras 3.16 makes use unasked.
one = train(TRAIN, TEST, BATCH) if RANK == 0 else None
try:
    with km.replicas():
        pass
except ValueError as error:
    without_group = str(error)

address = f"tcp://127.0.0.1:{PORT}"
dist.init_process_group("gloo", init_method=address, rank=RANK, world_size=PROCESSES)
with km.replicas():
    many = train_parts()
with km.replicas(), means_of_means(PROCESSES):
    means = train_parts()
unasked = train_parts()

# A loss of one process alone, which must not wait for the other.
loss = km.losses.MeanSquaredError()
_, labels, _ = TRAIN
whole = float(loss(labels, 0 * np.nan_to_num(labels)))
_, labels, _ = part(TRAIN)
alone = float(loss(labels, 0 * np.nan_to_num(labels))) if RANK == 0 else None
with km.replicas(dist.new_group([0, 1])):
    grouped = float(loss(labels, 0 * np.nan_to_num(labels)))
with km.replicas([dist.new_group([0]), dist.new_group([1])][RANK]):
    single = float(loss(labels, 0 * np.nan_to_num(labels)))


def values(metrics):
    """What each metric says, by name."""
    found = {}
    for metric in metrics:
        result = metric.result()
        found |= result if isinstance(result, dict) else {metric.name: result}
    return {name: float(value) for name, value in found.items()}


def updated(data):
    """Metrics of some predictions for the data, seen in two batches."""
    x, y, _ = data
    found = metrics()
    for batch in (slice(0, 2), slice(2, None)):
        for metric in found:
            metric.update_state(y[batch], x[batch, :3] + 0.5 * np.nan_to_num(y[batch]))
    return found


# The metrics of all processes, sent to each, and merged.
mine = updated(part(TRAIN))
gathered = [None] * PROCESSES
dist.all_gather_object(gathered, mine)
merged = metrics()
for i, metric in enumerate(merged):
    metric.merge_state(of_process[i] for of_process in gathered)
of_metrics = {"whole": updated(TRAIN), "merged": merged, "parts": mine}
of_metrics = {key: values(found) for key, found in of_metrics.items()}
dist.destroy_process_group()

if RANK == 0:
    losses = {"whole": whole, "alone": alone, "grouped": grouped, "single": single}
    report(
        one=one,
        many=many,
        means=means,
        unasked=unasked,
        losses=losses,
        metrics=of_metrics,
        without_group=without_group,
    )
