"""The loss of one device, in two processes: PyTorch's `DistributedDataParallel`.

    torchrun --standalone --nproc-per-node 2 examples/devices/torch_ddp.py

Runs on the processor; for GPUs, use the process group "nccl", a device per process and
`DistributedDataParallel(model, device_ids=[...])`. See "On more than one device" in the
documentation.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

import keras_masked as km

BATCH, STEPS = 16, 20


def train(x, y, wrap, rank=0, processes=1):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3)])
    network = wrap(model)
    loss_of = km.losses.MeanSquaredError()
    optimizer = torch.optim.SGD(network.parameters(), 0.05)
    share = BATCH // processes
    for step in range(STEPS):
        start = step % (len(x) // BATCH) * BATCH + rank * share
        mine = slice(start, start + share)
        loss = loss_of(y[mine], network(x[mine]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(loss.detach())


if "RANK" not in os.environ:
    raise SystemExit(f"Start with: torchrun --standalone --nproc-per-node 2 {__file__}")
rng = np.random.default_rng(0)
x, y = rng.normal(size=(64, 8)), rng.normal(size=(64, 3))
y[rng.random(y.shape) < np.linspace(0, 0.9, 64)[:, None]] = np.nan  # ever more are missing
x, y = (torch.as_tensor(array, dtype=torch.float32) for array in (x, y))

dist.init_process_group("gloo")
rank, processes = dist.get_rank(), dist.get_world_size()
one = train(x, y, lambda model: model)
with km.replicas():
    several = train(x, y, DistributedDataParallel, rank, processes)
if rank == 0:
    print(f"one process  {one:.6f}\n{processes} processes  {several:.6f}")
np.testing.assert_allclose(several, one, rtol=1e-5)
dist.destroy_process_group()
