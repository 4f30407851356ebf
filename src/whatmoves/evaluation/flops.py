"""Floating-point operations of a model, counted as it runs: what its training and its evaluation ask of any machine.

A multiplication and the addition after it are two operations. Counted are matrix products, convolutions, recurrent
cells, attention and Fourier transforms; not counted are element-wise operations, norms, pooling and resampling, which
cost time rather than arithmetic. PyTorch's counter sees single operations, and fused ones (an LSTM, attention) only
where it has a formula, which differs between devices. So a copy of the model runs on the CPU with fused kernels
switched off: every machine then counts the same operations, those that the mathematics asks for.
"""

import contextlib
import copy
import inspect
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from whatmoves.data.clips import Batch
from whatmoves.models.interface import Future, Step, abilities

CLIPS = 2  # counted at once, because batch norm needs two; the count is linear in clips
GIGA = 1e9


def gflops(model: nn.Module, batch: Batch, past_frames: int) -> dict[str, float]:
    """`gflops_training_per_clip` and `gflops_forward_per_clip` of a model, each where it exists.

    `batch` gives at least two clips; `past_frames` of each are given where the model predicts.
    """
    found = {
        "gflops_training_per_clip": training_gflops(model, batch),
        "gflops_forward_per_clip": forward_gflops(model, batch, past_frames),
    }
    return {name: value for name, value in found.items() if value is not None}


def training_gflops(model: nn.Module, batch: Batch) -> float | None:
    """10⁹ operations per clip of the first training step's loss and its gradients; None for a model without gradients.

    A loss whose work depends on chance or on the training's progress is counted for one draw at its beginning.
    """
    if not hasattr(model, "loss") or not any(p.requires_grad for p in model.parameters()):
        return None

    def step(run: Any, given: Batch) -> None:
        run.train().loss(given, Step(0, CLIPS))["total"].backward()

    return _counted(model, batch, step)


def forward_gflops(model: nn.Module, batch: Batch, past_frames: int) -> float | None:
    """10⁹ operations per clip of drawing a clip in evaluation: its reconstruction or, where a model only predicts, the
    frames after its first `past_frames`. None for a model that does neither.
    """
    able = abilities(model)
    if not {"reconstruct", "predict"} & set(able):
        return None

    def draw(run: Any, given: Batch) -> None:
        run.eval().requires_grad_(False)
        with torch.no_grad():
            if "reconstruct" in able:
                run.reconstruct(given.video)
            else:
                past, horizon = given.video[:, :past_frames], given.video.shape[1] - past_frames
                run.predict(past, horizon, Future(given.actions, given.states, Generator().manual_seed(0)))

    return _counted(model, batch, draw)


def _counted(model: nn.Module, batch: Batch, work: Callable[[Any, Batch], None]) -> float:
    """10⁹ operations per clip of `work` on a copy of the model and the first clips; no random number is used up."""
    with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng(devices=[]), _unfused():
        torch.manual_seed(0)
        video, *others = (None if values is None else values[:CLIPS].cpu().clone() for values in batch)
        assert video is not None
        given = Batch(video, *others)
        counter = FlopCounterMode(display=False, custom_mapping=_FORMULAS)
        run = copy.deepcopy(model).cpu()
        with counter:
            _forget_the_compiler(counter)
            work(run, given)
    return counter.get_total_flops() / len(given.video) / GIGA


def _forget_the_compiler(counter: FlopCounterMode) -> None:
    """Take off PyTorch's mark that the counter is not to be compiled: the first call of what bears it imports the whole
    compiler, a third of the time that a floor's evaluation takes."""
    kind: Any = type(counter.mode)
    kind.__torch_dispatch__ = inspect.unwrap(kind.__torch_dispatch__)


@contextlib.contextmanager
def _unfused() -> Iterator[None]:
    """Layers as the single operations they are made of: LSTMs, attention, transformer blocks."""
    onednn, fast_path = torch.backends.mkldnn.enabled, torch.backends.mha.get_fastpath_enabled()
    try:
        torch.backends.mkldnn.enabled = False  # type: ignore[assignment]
        torch.backends.mha.set_fastpath_enabled(False)
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mkldnn.enabled = onednn
        torch.backends.mha.set_fastpath_enabled(fast_path)


def _convolution_backward(
    gradient: list[int], x: list[int], weight: list[int], bias: Any, stride: Any, padding: Any, dilation: Any,
    transposed: bool, output_padding: Any, groups: int, wanted: list[bool], out_shape: Any = None,
) -> int:  # fmt: skip
    """As much as forward for each of the two gradients; the counter's own formula takes no account of groups."""
    places = math.prod((x if transposed else gradient)[2:])
    return 2 * x[0] * places * math.prod(weight) * (wanted[0] + wanted[1])


def _matrix_vector(matrix: list[int], vector: list[int], out_shape: Any = None) -> int:
    return 2 * math.prod(matrix)


def _added_matrix_vector(
    added: list[int], matrix: list[int], vector: list[int], out_shape: Any = None, **_: Any
) -> int:
    return 2 * math.prod(matrix)


def _fourier(x: Tensor, dims: list[int], *_: Any, out_val: Tensor, **__: Any) -> int:
    """5 n log₂ n for each complex transform of n numbers, half of it where one side is real, as is the convention."""
    real = not (x.is_complex() and out_val.is_complex())
    whole = out_val if x.is_complex() else x  # what is real on one side holds only half of the numbers on the other
    n = math.prod(whole.shape[dim] for dim in dims)
    transforms = whole.numel() / n
    return round(transforms * 5 * n * math.log2(n) / (2 if real else 1))


_fourier._get_raw = True  # type: ignore[attr-defined]  # the counter passes tensors in place of shapes
_ATEN = torch.ops.aten
_FORMULAS: dict[Any, Callable[..., int]] = {
    _ATEN.convolution_backward: _convolution_backward,
    _ATEN.mv: _matrix_vector,
    _ATEN.dot: _matrix_vector,
    _ATEN.addmv: _added_matrix_vector,
    _ATEN._fft_r2c: _fourier,
    _ATEN._fft_c2r: _fourier,
    _ATEN._fft_c2c: _fourier,
}
