"""Capsule transformer: published size, original arithmetic at the borders, windows, causality, routing, options."""

import math
import re
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError
from whatmoves.models.capsule_transformer import (
    FULL_SHAPE,
    AttentionBlock,
    CapsuleEncoder,
    Config,
    Model,
    NextFrameDecoder,
)
from whatmoves.models.interface import Step, abilities
from whatmoves.models.routing import RoutedCapsules, dynamic_routing, em_routing, squash

ODD = ClipShape(frames=7, channels=3, height=8, width=12)
SMALL: dict[str, Any] = {
    "past_frames": 4, "capsules": 2, "capsule_dim": 3, "head_dim": 3, "feedforward": 5, "decoder_hidden": 6,
    "decoder_channels": (4, 3, 2), "routed_capsules": 3, "routed_dim": 4,
}  # fmt: skip
END = Step(1, 1)
OPTIONS: list[dict[str, Any]] = [
    {},
    {"routing": "dynamic"},
    {"routing": "em"},
    {"skip": True, "blocks": 2},
    {"resize_px": 4, "dropout": 0.1},
]

every_option = pytest.mark.parametrize("options", OPTIONS, ids=str)


def small(options: dict[str, Any] | None = None, shape: ClipShape = ODD) -> Model:
    torch.manual_seed(0)
    return Model(Config(**{**SMALL, **(options or {})}), shape)


def clips(count: int, shape: ClipShape = ODD) -> Tensor:
    return torch.rand((count, *shape[:4]), generator=torch.Generator().manual_seed(1))


def test_full_size_has_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        model = Model(Config(), FULL_SHAPE)
    assert sum(parameter.numel() for parameter in model.parameters()) == 30_713_410


@every_option
def test_abilities_and_shapes(options: dict[str, Any]) -> None:
    model = small(options).eval()
    assert abilities(model) == ("encode", "predict")
    drawn = model.predict(clips(2)[:, :5], 3)
    assert drawn.shape == (2, 3, 3, 8, 12)
    assert drawn.dtype == torch.float32
    assert 0 <= drawn.min() < drawn.max() <= 1
    side = (4 // 2) * (4 // 2) if "resize_px" in options else (8 // 2) * (12 // 2)
    assert model.encode(clips(2))["clip"].shape == (2, 3 * 4 if "routing" in options else side * 2 * 3)


@every_option
def test_gradients_reach_every_parameter(options: dict[str, Any]) -> None:
    model = small(options)
    model.loss(Batch(clips(3)), END)["total"].backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@every_option
def test_a_clip_does_not_depend_on_its_batch(options: dict[str, Any]) -> None:
    model = small(options).eval()
    video = clips(3).requires_grad_()
    (slope,) = torch.autograd.grad(model.predict(video, 2)[1].square().sum(), video)
    assert torch.equal(slope.flatten(1).any(1), torch.tensor([False, True, False]))
    torch.testing.assert_close(model.predict(video[2:], 2), model.predict(video, 2)[2:])


def test_every_window_sees_its_own_past_and_nothing_else() -> None:
    model = small().eval()
    signed = clips(1).requires_grad_()
    drawn = model._next_frames(signed)
    assert drawn.shape == (1, 4, 3, 8, 12)
    for window in range(4):
        (slope,) = torch.autograd.grad(drawn[:, window].square().sum(), signed, retain_graph=True)
        seen = slope[0].flatten(1).any(1)
        assert seen.tolist() == [window <= t < window + 4 for t in range(7)]


def test_windows_of_training_are_what_prediction_sees() -> None:
    model = small({"skip": True}).eval()
    video = clips(2)
    in_training = (model._next_frames(2 * video - 1) + 1) / 2
    for window in range(4):
        torch.testing.assert_close(in_training[:, window : window + 1], model.predict(video[:, : window + 4], 1))


def test_roll_out_reads_its_own_predictions() -> None:
    model = small({"skip": True}).eval()
    past = clips(2)[:, :4]
    once = model.predict(past, 1)
    torch.testing.assert_close(model.predict(past, 2)[:, 1:], model.predict(torch.cat((past, once), 1), 1))


def test_the_code_is_of_the_first_window() -> None:
    model = small().eval()
    video = clips(2)
    later, earlier = video.clone(), video.clone()
    later[:, 4:] = 0
    earlier[:, 3] = 0
    assert torch.equal(model.encode(later)["clip"], model.encode(video)["clip"])
    assert not torch.allclose(model.encode(earlier)["clip"], model.encode(video)["clip"])


def test_loss_of_a_grey_decoder_worked_out() -> None:
    for windows, truth in (("all", [1.0, 0.5, 1.0]), ("first", [1.0])):
        model = small({"windows": windows, "pixel_variance": 0.1, "initial_intensity": 0.5})
        torch.nn.init.zeros_(model.decoder.head.weight)  # every pixel is drawn as ½, signed 0
        video = torch.zeros_like(clips(2))
        video[:, 4], video[:, 5], video[:, 6] = 1.0, 0.5, 1.0
        terms = model.loss(Batch(video), END)
        squares = [(2 * value - 1) ** 2 for value in truth]
        mse = sum(squares) / len(squares)
        assert terms["mse_signed"].item() == pytest.approx(mse)
        assert terms["prediction_nats"].item() == pytest.approx(mse / 4 * (3 * 8 * 12) / (2 * 0.1))
        assert terms["total"] is terms["mse_signed"]


def test_the_untrained_decoder_is_as_dark_as_asked() -> None:
    dark = small({"initial_intensity": 0.03})
    torch.nn.init.zeros_(dark.decoder.head.weight)
    torch.testing.assert_close(dark.predict(clips(1), 1), torch.full((1, 1, 3, 8, 12), 0.03))


def test_frames_are_shrunk_by_area() -> None:
    video = torch.zeros(1, 5, 3, 8, 12)
    video[..., 2:4, 3:6] = 1.0  # exactly one of 4 × 4 blocks of 2 × 3 pixels
    expected = torch.full((1, 5, 3, 4, 4), -1.0)
    expected[..., 1, 1] = 1.0
    torch.testing.assert_close(small({"resize_px": 4})._shrunk(video), expected)


def test_encoder_pads_right_and_below_only() -> None:
    encoder = CapsuleEncoder(Config(**SMALL), 3)
    frames = torch.zeros(1, 3, 8, 12).requires_grad_()
    maps = encoder(frames + 0.3).view(4, 6, 2, 3)  # rows, columns, capsules, numbers

    def seen(row: int, column: int) -> tuple[list[int], list[int]]:
        (slope,) = torch.autograd.grad(maps[row, column].square().sum(), frames, retain_graph=True)
        where = slope[0].abs().sum(0).nonzero()
        return sorted(set(where[:, 0].tolist())), sorted(set(where[:, 1].tolist()))

    assert seen(0, 0) == ([0, 1, 2], [0, 1, 2])
    assert seen(1, 2) == ([2, 3, 4], [4, 5, 6])
    assert seen(3, 5) == ([6, 7], [10, 11])


def test_capsules_are_squashed_one_by_one() -> None:
    encoder = CapsuleEncoder(Config(**SMALL), 3)
    frames = clips(1)[0]
    maps = encoder.convolution(F.pad(frames, (0, 1, 0, 1)))  # [7, 6, 4, 6]
    features = encoder(frames).view(7, 4, 6, 2, 3)
    torch.testing.assert_close(features[3, 2, 5, 1], squash(maps[3, 3:, 2, 5]))
    assert (features.norm(dim=-1) < 1).all()


def test_attention_is_over_time_in_heads() -> None:
    block = AttentionBlock(Config(**SMALL, heads=2), 5)
    signal = torch.randn(2, 4, 5)
    q, k, v = block.queries_keys_values(signal).view(2, 4, 3, 2, 3).unbind(2)  # head_dim 3
    weights = (torch.einsum("nqhd,nkhd->nhqk", q, k) / math.sqrt(3)).softmax(-1)
    mixed = signal + block.mix(torch.einsum("nhqk,nkhd->nqhd", weights, v).reshape(2, 4, 6))
    normed = F.layer_norm(mixed, (5,), eps=1e-6)
    expected = F.layer_norm(normed + block.feedforward(normed), (5,), eps=1e-6)
    torch.testing.assert_close(block(signal), expected)


def test_decoder_stage_mirrors_the_encoder() -> None:
    decoder = NextFrameDecoder(Config(**SMALL), 5, 3, 8, 12)
    stage = decoder.stages[0]
    maps = torch.randn(1, 4, 2, 3).requires_grad_()
    grown = stage(maps)[..., :-1, :-1]
    assert grown.shape == (1, 3, 4, 6)
    # The gradient of a convolution with right and bottom padding is the transposed convolution.
    wide = torch.zeros(1, 3, 4, 6).requires_grad_()
    shrunk = F.conv2d(F.pad(wide, (0, 1, 0, 1)), stage.weight, stride=2)
    (mirrored,) = torch.autograd.grad(shrunk, wide, maps.detach())
    torch.testing.assert_close(grown, mirrored + stage.bias[:, None, None])


def test_skip_can_copy_the_last_frame() -> None:
    model = small({"skip": True}).eval()
    past = clips(2)[:, :4]
    torch.nn.init.constant_(model.decoder.head.bias[3:], 50.0)  # the mask, wide open
    torch.testing.assert_close(model.predict(past, 2), past[:, 3:].expand(-1, 2, -1, -1, -1))


def test_dropout_acts_in_training_only() -> None:
    model = small({"dropout": 0.5})
    video = clips(1)
    assert not torch.equal(model.predict(video, 1), model.predict(video, 1))
    model.eval()
    assert torch.equal(model.predict(video, 1), model.predict(video, 1))


def test_squash_worked_out_and_safe_at_zero() -> None:
    torch.testing.assert_close(squash(torch.tensor([3.0, 4.0])), torch.tensor([3.0, 4.0]) / 5 * 25 / 26)
    vectors = torch.zeros(2, 3, requires_grad=True)
    squashed = squash(vectors)
    squashed.sum().backward()
    assert squashed.abs().max() == 0
    assert vectors.grad is not None
    assert vectors.grad.isfinite().all()
    assert squash(torch.full((4,), 1e6)).norm().item() == pytest.approx(1.0)


def routed(votes: Tensor, iterations: int, how: str) -> tuple[Tensor, Tensor]:
    if how == "dynamic":
        return dynamic_routing(votes, iterations)
    N, I, J, _ = votes.shape  # noqa: E741
    poses, _, couplings = em_routing(votes, torch.ones(N, I), torch.zeros(J), torch.zeros(J), iterations)
    return poses, couplings


@pytest.mark.parametrize("how", ["dynamic", "em"])
def test_couplings_of_a_capsule_sum_to_1_and_follow_agreement(how: str) -> None:
    votes = 0.5 * torch.randn(2, 6, 3, 4, generator=torch.Generator().manual_seed(0))
    votes[:, :5, 1] = torch.tensor([1.0, -1.0, 2.0, 0.5])  # five of six agree on capsule 1, and on nothing else
    _, even = routed(votes, 1, how)
    torch.testing.assert_close(even, torch.full((2, 6, 3), 1 / 3))
    _, couplings = routed(votes, 3, how)
    torch.testing.assert_close(couplings.sum(2), torch.ones(2, 6))
    assert (couplings[:, :5].argmax(2) == 1).all()
    assert couplings[:, :5, 1].min() > 0.5


def test_dynamic_routing_worked_out() -> None:
    # One round: each capsule above gets half of both votes. (3, 4) + (3, 4) halved is (3, 4), squashed · 25/26 / 5.
    votes = torch.tensor([[[[3.0, 4.0], [0.0, 0.0]], [[3.0, 4.0], [0.0, 0.0]]]])
    poses, _ = dynamic_routing(votes, 1)
    torch.testing.assert_close(poses[0, 0], torch.tensor([3.0, 4.0]) * 5 / 26)
    # Second: agreement 3 · 15/26 + 4 · 20/26 = 125/26 against 0.
    _, couplings = dynamic_routing(votes, 2)
    assert couplings[0, 0, 0].item() == pytest.approx(1 / (1 + math.exp(-125 / 26)))


def test_em_routing_worked_out() -> None:
    # One round, all couplings ½: the mean of votes 1 and 3 weighted by activations ¾ and ¼ is 1.5, of 0 and 0 is 0.
    votes = torch.tensor([[[[1.0], [0.0]], [[3.0], [0.0]]]])
    active_cost = torch.tensor([0.2, 0.2])
    poses, active, _ = em_routing(votes, torch.tensor([[0.75, 0.25]]), torch.tensor([0.1, 0.1]), active_cost, 1)
    torch.testing.assert_close(poses.flatten(), torch.tensor([1.5, 0.0]))
    # Variances ¾ · ¼ + ¼ · 2¼ = ¾ and 0, each + 1e-4; equal shares.
    costs = [0.1 + 0.5 * math.log(variance + 1e-4) for variance in (0.75, 0.0)]
    expected = [1 / (1 + math.exp(cost - 0.2)) for cost in costs]
    torch.testing.assert_close(active.flatten(), torch.tensor(expected))


def test_routed_capsules_know_where_their_parts_are() -> None:
    torch.manual_seed(0)
    layer = RoutedCapsules(kinds=1, dim=2, capsules=3, routed_dim=4, routing="em", iterations=2)
    part = torch.zeros(2, 4, 6, 1, 2)
    part[0, 0, 0], part[1, 3, 5] = 0.5, 0.5  # the same part, top left and bottom right
    top_left, bottom_right = layer(part).view(2, 3, 4)[..., :2]
    assert (top_left < 0).all()
    assert (bottom_right > 0).all()


def test_bfloat16_autocast_gives_float32_losses() -> None:
    for options in OPTIONS:
        model = small(options)
        with torch.autocast("cpu", torch.bfloat16):
            terms = model.loss(Batch(clips(2)), END)
        assert {value.dtype for value in terms.values()} == {torch.float32}
        terms["total"].backward()


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        (
            {},
            ClipShape(16, 1, 32, 32),
            "capsule_transformer.past_frames is 16, but clips have 16 frames; must be ≤ 15, for one to predict. "
            "Lower past_frames or raise the data's frames.",
        ),
        (
            {},
            ClipShape(17, 1, 30, 32),
            "capsule_transformer.decoder_channels has 2 doublings, but frames are 30×32; height and width must be "
            "divisible by 4. Give fewer widths or set resize_px.",
        ),
        (
            {"resize_px": 64},
            ClipShape(17, 1, 64, 32),
            "capsule_transformer.resize_px is 64, but frames are 64×32; it only shrinks. Set it to ≤ 32 or null.",
        ),
    ],
)
def test_impossible_sizes_are_named(options: dict[str, Any], shape: ClipShape, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        Model(Config(**options), shape)


def test_a_past_that_is_too_short_is_refused() -> None:
    message = (
        "capsule_transformer.past_frames is 4, but prediction starts from 3 frames; "
        "set past_frames to ≤ 3 or give more frames"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        small().predict(clips(1)[:, :3], 1)


@pytest.mark.slow
def test_one_step_at_full_size_lowers_the_loss() -> None:
    torch.manual_seed(0)
    model = Model(Config(), FULL_SHAPE)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)
    batch = Batch(clips(2, FULL_SHAPE))
    before = model.loss(batch, END)["total"]
    before.backward()
    torch.nn.utils.clip_grad_value_(model.parameters(), 1.0)
    optimiser.step()
    with torch.no_grad():
        assert model.loss(batch, END)["total"] < before
