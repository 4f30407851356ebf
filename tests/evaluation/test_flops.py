"""Counted operations against numbers worked out by hand, and against every model of the package."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tools import ROOT
from torch import Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.evaluation.flops import forward_gflops, gflops, training_gflops
from whatmoves.loading import load_study
from whatmoves.models.interface import Future, Step
from whatmoves.plugins import build_model

SHAPE = ClipShape(frames=5, channels=3, height=6, width=8, actions=2)
BATCH = Batch(torch.rand(3, *SHAPE[:4]), torch.rand(3, 5, 2))  # three clips, of which two are counted


class Layer(nn.Module):
    """A model whose loss and reconstruction are one call of `work`, on its parameters and the video."""

    def __init__(self, work: Callable[[nn.Module, Tensor], Tensor], layer: nn.Module | None = None) -> None:
        super().__init__()
        self.layer = layer or nn.Identity()
        self.scale = nn.Parameter(torch.ones(()))
        self._work = work

    def reconstruct(self, video: Tensor) -> Tensor:
        return self._work(self.layer, video * self.scale)

    def loss(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        return {"total": self.reconstruct(batch.video).abs().sum()}


def frames(layer: nn.Module, video: Tensor) -> Tensor:
    return layer(video.flatten(0, 1))


def rows(layer: nn.Module, video: Tensor) -> Tensor:
    return layer(video[:, :, 0, 0])  # [B, 5, 8]


def first(layer: nn.Module, video: Tensor) -> Tensor:
    return layer(video[:, :, 0, 0])[0]


def attention(layer: nn.Module, video: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(video[:, :, 0], video[:, :, 1], video[:, :, 2])  # [B, 5 heads, 6, 8]


# Forward and, with the gradients of input and weights, training operations of one clip. All inputs want a gradient.
LSTM = 2 * 5 * (8 + 4) * 16  # frames · (inputs + hidden) · 4 gates of 4
LSTM_TRAINED = 2 * LSTM + 2 * 5 * 8 * 16 + 2 * 4 * 4 * 16  # + weights, + inputs, + hidden states but the first
LINEAR = 2 * 5 * 8 * 7
CASES: dict[str, tuple[Callable[[nn.Module, Tensor], Tensor], nn.Module | None, float, float]] = {
    "linear": (rows, nn.Linear(8, 7), LINEAR, 3 * LINEAR),
    "convolution": (frames, nn.Conv2d(3, 4, 3, stride=2, padding=1), *(n * 2 * 5 * 12 * 4 * 27 for n in (1, 3))),
    "in groups": (frames, nn.Conv2d(3, 6, 3, padding=1, groups=3), *(n * 2 * 5 * 48 * 6 * 9 for n in (1, 3))),
    "transposed": (frames, nn.ConvTranspose2d(3, 4, 4, stride=2), *(n * 2 * 5 * 48 * 3 * 4 * 16 for n in (1, 3))),
    "lstm": (first, nn.LSTM(8, 4, batch_first=True), LSTM, LSTM_TRAINED),
    "lstm both ways": (first, nn.LSTM(8, 4, batch_first=True, bidirectional=True), 2 * LSTM, 2 * LSTM_TRAINED),
    "attention": (attention, None, *(n * 2 * 2 * 5 * 6 * 6 * 8 for n in (1, 3))),
    "transformer": (
        rows, nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True),
        *(n * (2 * 5 * 8 * (3 * 8 + 8 + 2 * 16) + 2 * 2 * 5 * 5 * 8) for n in (1, 3)),
    ),
    "fourier": (lambda _, video: torch.fft.fft2(video[:, :, 0].to(torch.complex64)).real, None,
                *(n * 5 * 5 * 48 * 5.584962500721156 for n in (1, 2))),  # 5 frames of 5 · 48 · log2 48
    "real fourier": (lambda _, video: torch.fft.rfft2(video[:, :, 0]), None,
                     5 * 2.5 * 48 * 5.584962500721156, None),
    "matrix and vector": (lambda _, video: video[0, 0, 0] @ video[0, 0, 0, 0], None, 2 * 48 / 2, None),
    "elementwise": (lambda _, video: (video.exp() + 1).clamp(0, 1), None, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_counts_worked_out_by_hand(case: str) -> None:
    work, layer, forward, trained = CASES[case]
    model = Layer(work, layer)
    assert forward_gflops(model, BATCH, 2) == pytest.approx(forward / 1e9, rel=1e-4)
    if trained is not None:
        assert training_gflops(model, BATCH) == pytest.approx(trained / 1e9, rel=1e-4)


def test_a_model_that_only_predicts_is_counted_for_the_frames_to_come() -> None:
    class Predicts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(8, 7)

        def predict(self, past: Tensor, horizon: int, future: Future) -> Tensor:
            assert past.shape[1] == 2
            assert future.actions is not None
            assert future.actions.shape == (2, 5, 2)
            return torch.stack([self.layer(past[:, -1, 0, 0]) for _ in range(horizon)], dim=1)

    assert gflops(Predicts(), BATCH, 2) == {"gflops_forward_per_clip": 3 * 2 * 8 * 7 / 1e9}
    assert gflops(nn.Linear(1, 1), BATCH, 2) == {}


def test_counting_leaves_everything_as_it_was() -> None:
    model = Layer(frames, nn.Sequential(nn.Dropout(0.5), nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1))).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with torch.inference_mode():  # as evaluation runs
        first_count, again = gflops(model, BATCH, 2), gflops(model, BATCH, 2)
    assert first_count == again
    assert first_count["gflops_training_per_clip"] == pytest.approx(3 * first_count["gflops_forward_per_clip"])
    assert torch.equal(torch.rand(3), expected)
    assert not model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.backends.mkldnn.enabled == torch.backends.mkldnn.is_available()


TINY = load_study(ROOT / "config/tiny.yaml")
FRAME = ClipShape(frames=8, channels=1, height=16, width=16)
SMALL: dict[str, dict[str, Any]] = {
    "capsule_transformer": {"past_frames": 3, "capsules": 2, "capsule_dim": 4, "routing": "dynamic", "head_dim": 4},
    "jepa": {"encoder_width": 4, "latent_channels": 4, "predictor_width": 4, "projector_width": 8, "steps": 2},
} | {entry.kind: entry.options for entry in TINY.models.values()}


@pytest.mark.parametrize("kind", SMALL)
def test_every_model_is_counted_in_full(kind: str) -> None:
    """At least what its linear, convolutional and recurrent layers ask for by their sizes, as often as they are called;
    attention, products of matrices and routing come on top."""
    model: Any = build_model(kind, SMALL[kind], FRAME)
    found = gflops(model, Batch(torch.rand(2, *FRAME[:4]), centres_px=torch.full((2, 8, 1, 2), 5.0)), 4)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        assert set(found) == {"gflops_forward_per_clip"}
        return
    asked = 0

    def add(layer: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        nonlocal asked
        asked += by_size(layer, inputs[0], output[0] if isinstance(output, tuple) else output)

    for layer in model.eval().modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.LSTM | nn.LSTMCell):
            layer.register_forward_hook(add)
    with torch.no_grad():
        if hasattr(model, "reconstruct"):
            model.reconstruct(torch.rand(1, *FRAME[:4]))
        else:
            model.predict(torch.rand(1, *FRAME[:4])[:, :4], 4)
    assert 0 < asked / 1e9 <= found["gflops_forward_per_clip"] * (1 + 1e-9)
    assert found["gflops_forward_per_clip"] < 1.5 * asked / 1e9
    least = 2 if hasattr(model, "reconstruct") else 0  # some learn to predict from a part of each clip
    assert least < found["gflops_training_per_clip"] / found["gflops_forward_per_clip"] < 20


def by_size(layer: Any, given: Tensor, drawn: Tensor) -> int:
    """Operations of one call of a layer, without its biases."""
    if isinstance(layer, nn.LSTM):
        ways, hidden = 2 if layer.bidirectional else 1, layer.hidden_size
        inputs = [layer.input_size] + [ways * hidden] * (layer.num_layers - 1)
        return sum(2 * drawn.shape[0] * drawn.shape[1] * ways * (width + hidden) * 4 * hidden for width in inputs)
    if isinstance(layer, nn.LSTMCell):
        return 2 * len(drawn) * (layer.input_size + layer.hidden_size) * 4 * layer.hidden_size
    signal, axis = (given, 1) if isinstance(layer, nn.ConvTranspose2d) else (drawn, -1 if layer.weight.ndim == 2 else 1)
    return int(2 * layer.weight.numel() * signal.numel() // signal.shape[axis])
