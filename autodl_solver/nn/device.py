"""Where and how precisely to compute: CUDA where there is one, bfloat16 where it was measured to be faster.

Half precision on a CPU pays with AVX512-BF16 (measured here: 1.7 to 2 times as many 3x3 convolutions a second) and more
with AMX; elsewhere it is emulated and far slower. So it is not looked up, it is timed, once a process, during warm-up.
Cost of the probe: 130 ms beside another process.
"""

from __future__ import annotations

import functools
import sys
import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

PROBE_REPEATS = 6


def avoid_triton_beside_tensorflow() -> None:
    """To be called before an optimizer is made: the first one of a process imports triton.

    Triton kills a process that has loaded TensorFlow 2.20 or later (github.com/tensorflow/tensorflow/issues/124205);
    torch can do without it, unless something is compiled for a GPU.
    """
    if "tensorflow" in sys.modules:
        sys.modules.setdefault("triton", None)  # type: ignore[arg-type]  # as the import system documents it


@dataclass(frozen=True)
class Compute:
    """A device and its precision.

    Attributes:
        device: where tensors live while they are computed with.
        half: matrix products and convolutions run in bfloat16; weights and sums stay in float32.
    """

    device: torch.device
    half: bool

    def autocast(self) -> torch.autocast:
        """Within it, operations choose their precision."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.half)

    def holding(self, x: Tensor) -> Tensor:
        """x on the device where it leaves half of the free memory to computing, else where it is."""
        if self.device.type != "cuda":
            return x
        free_bytes, _ = torch.cuda.mem_get_info(self.device)
        return x.to(self.device) if x.nbytes < free_bytes / 2 else x


@functools.cache
def best_compute() -> Compute:
    """The fastest way to train that this machine offers."""
    if torch.cuda.is_available():
        return Compute(torch.device("cuda"), torch.cuda.is_bf16_supported())
    cpu = torch.device("cpu")
    full, half = Compute(cpu, half=False), Compute(cpu, half=True)
    with torch.inference_mode(False), torch.enable_grad():  # wherever it is asked for: a step has gradients
        return half if _is_faster(half, full) else full


def _is_faster(one: Compute, other: Compute) -> bool:
    """Whether one takes a tenth less at its best.

    In turns and in one thread: what else the machine does meets both, and no thread waits for another.
    """
    layer = nn.Conv2d(64, 64, 3, padding=1).to(memory_format=torch.channels_last)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for compute in (one, other):
            _step_seconds(layer, compute)  # pays for its preparation
        taken = [(_step_seconds(layer, one), _step_seconds(layer, other)) for _ in range(PROBE_REPEATS)]
    finally:
        torch.set_num_threads(n_threads)
    return min(one_s for one_s, _ in taken) < 0.9 * min(other_s for _, other_s in taken)


def _step_seconds(layer: nn.Conv2d, compute: Compute) -> float:
    """Of one training step."""
    x = torch.ones(16, 64, 16, 16).contiguous(memory_format=torch.channels_last).requires_grad_()
    start = time.perf_counter()
    with compute.autocast():
        y: Tensor = layer(x)
    y.float().sum().backward()  # type: ignore[no-untyped-call]
    return time.perf_counter() - start
