"""Starts the scripts of this folder in processes of their own."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import keras

BACKEND = keras.config.backend()
ROOT = Path(__file__).parents[2]


def start(script, *arguments, devices=1):
    """Starts one; `devices` is how many JAX sees in the processor."""
    flags = os.environ.get("XLA_FLAGS", "")
    flags += f" --xla_force_host_platform_device_count={devices}"
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": flags.strip() if BACKEND == "jax" else os.environ.get("XLA_FLAGS", ""),
    }
    if BACKEND == "jax" and devices == 1:
        env.pop("JAX_COMPILATION_CACHE_DIR", None)  # which several processes wait for
    loopback = [name for _, name in socket.if_nameindex() if name in ("lo", "lo0")]
    if loopback:
        env["GLOO_SOCKET_IFNAME"] = loopback[0]
    command = [sys.executable, "-m", f"tests.replicas.{script}", *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=env, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)


def finish(processes, seconds=300):
    """Waits for all, and kills those that hang; raises with what one that failed has written."""
    try:
        for process in processes:
            _, errors = process.communicate(timeout=seconds)
            assert process.returncode == 0, errors[-5000:]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def free_ports(number):
    """Ports of the loopback address on which nothing listens."""
    probes = [socket.socket() for _ in range(number)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
