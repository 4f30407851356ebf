"""The content/motion trio: published sizes, shapes at odd sizes, gradients, independence of clips, losses, errors."""

import math
import re
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError
from whatmoves.models import baseline_vae, disentangled_vae, lstm_vae
from whatmoves.models.interface import Step, abilities

FULL = ClipShape(20, 1, 64, 64)
ODD = ClipShape(5, 3, 8, 12)
SMALL: dict[str, Any] = {"channels": (3, 4), "features": 7}
TRIO: list[tuple[ModuleType, dict[str, Any]]] = [
    (baseline_vae, {**SMALL, "latent_dim": 5}),
    (lstm_vae, {**SMALL, "latent_dim": 5, "hidden": 6, "layers": 2}),
    (
        disentangled_vae,
        {**SMALL, "motion_channels": (2,), "content_dim": 5, "motion_dim": 4, "hidden": 6, "layers": 2},
    ),
]
END = Step(1, 1)


def small_model(kind: ModuleType, options: dict[str, Any], shape: ClipShape = ODD) -> nn.Module:
    torch.manual_seed(0)
    model: nn.Module = kind.Model(kind.Config(**options), shape)
    return model


def clips(count: int, shape: ClipShape = ODD) -> Tensor:
    size = (count, shape.frames, shape.channels, shape.height, shape.width)
    return torch.rand(size, generator=torch.Generator().manual_seed(1))


every_kind = pytest.mark.parametrize(("kind", "options"), TRIO, ids=lambda value: getattr(value, "__name__", ""))


@pytest.mark.parametrize(
    ("kind", "options", "published"),
    [
        (baseline_vae, {}, 4_791_681),
        (lstm_vae, {}, 10_441_857),
        (lstm_vae, {"layers": 1}, 8_206_977),
        (disentangled_vae, {}, 12_934_625),
    ],
)
def test_full_size_has_the_published_number_of_parameters(
    kind: ModuleType, options: dict[str, Any], published: int
) -> None:
    with torch.device("meta"):
        model = kind.Model(kind.Config(**options), FULL)
    assert sum(parameter.numel() for parameter in model.parameters()) == published


@every_kind
def test_abilities_and_shapes(kind: ModuleType, options: dict[str, Any]) -> None:
    model = small_model(kind, options).eval()
    video = clips(2)
    assert abilities(model) == ("encode", "decode", "reconstruct", "sample")
    code = model.encode(video)
    widths = {"content": 5, "motion": 4} if kind is disentangled_vae else {"clip": 5}
    assert {name: tuple(block.shape) for name, block in code.items()} == {n: (2, d) for n, d in widths.items()}
    for drawn, count in ((model.decode(code), 2), (model.sample(3, torch.Generator().manual_seed(0)), 3)):
        assert drawn.shape == (count, 5, 3, 8, 12)
        assert drawn.dtype == torch.float32
        assert drawn.min() >= 0
        assert drawn.max() <= 1
    assert torch.equal(model.reconstruct(video), model.decode(code))


@every_kind
def test_gradients_reach_every_parameter(kind: ModuleType, options: dict[str, Any]) -> None:
    model = small_model(kind, options)
    model.loss(Batch(clips(3)), END)["total"].backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []


@every_kind
def test_a_clip_does_not_depend_on_its_batch(kind: ModuleType, options: dict[str, Any]) -> None:
    model = small_model(kind, options).eval()
    video = clips(3).requires_grad_()
    drawn = model.reconstruct(video)
    (slope,) = torch.autograd.grad(drawn[1].square().sum(), video)
    assert torch.equal(slope.flatten(1).any(1), torch.tensor([False, True, False]))
    torch.testing.assert_close(model.reconstruct(video[2:]), drawn[2:])


@every_kind
def test_samples_depend_on_the_generator_alone(kind: ModuleType, options: dict[str, Any]) -> None:
    model = small_model(kind, options).eval()
    first, again, other = (model.sample(2, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])


@every_kind
def test_the_untrained_decoder_is_dark(kind: ModuleType, options: dict[str, Any]) -> None:
    drawn = small_model(kind, {**options, "initial_intensity": 0.03}).eval().sample(4)
    assert drawn.mean().item() == pytest.approx(0.03, rel=0.3)


@every_kind
def test_loss_draws_from_the_posterior_and_codes_do_not(kind: ModuleType, options: dict[str, Any]) -> None:
    model = small_model(kind, options).eval()
    batch = Batch(clips(2))

    def reconstruction(seed: int) -> Tensor:
        torch.manual_seed(seed)
        nats: Tensor = model.loss(batch, END)["reconstruction_nats"]
        return nats

    with torch.no_grad():
        assert torch.equal(reconstruction(0), reconstruction(0))
        assert not torch.equal(reconstruction(0), reconstruction(1))
        assert torch.equal(model.reconstruct(batch.video), model.reconstruct(batch.video))


@every_kind
def test_beta_follows_progress(kind: ModuleType, options: dict[str, Any]) -> None:
    free = {"beta": 2.0, "free_bits": 0.0, "kl_start": 0.2, "kl_warmup": 0.4}
    zeros = {key: 0.0 for key in ("temporal_weight", "independence_weight") if key in kind.Config.model_fields}
    model = small_model(kind, {**options, **free, **zeros})
    for step, beta in ((Step(10, 100), 0.0), (Step(40, 100), 1.0), (Step(100, 100), 2.0)):
        terms = model.loss(Batch(clips(2)), step)
        kl = sum(value for name, value in terms.items() if name.startswith("kl_"))
        torch.testing.assert_close(terms["total"], terms["reconstruction_nats"] + beta * kl)


@every_kind
def test_free_bits_set_the_least_kl_of_every_dimension(kind: ModuleType, options: dict[str, Any]) -> None:
    model = small_model(kind, {**options, "beta": 1.0, "free_bits": 100.0})
    terms = model.loss(Batch(clips(2)), END)
    others = terms["reconstruction_nats"]
    if kind is disentangled_vae:
        others = others + 0.05 * terms["temporal_nats"] + 0.02 * terms["independence"]
    dimensions = 9 if kind is disentangled_vae else 5
    torch.testing.assert_close(terms["total"] - others, torch.tensor(100.0 * dimensions))


@every_kind
@pytest.mark.parametrize("likelihood", ["mse", "bce"])
def test_reconstruction_is_summed_over_the_clip(kind: ModuleType, options: dict[str, Any], likelihood: str) -> None:
    model = small_model(kind, {**options, "reconstruction": likelihood, "pixel_variance": 0.1})
    decoder = model.frame_decoder.convolutions[-1]
    nn.init.zeros_(decoder.weight)
    nn.init.zeros_(decoder.bias)  # every pixel is drawn as ½
    per_pixel = math.log(2) if likelihood == "bce" else 0.25 / 0.2
    black = torch.zeros_like(clips(2))
    value = model.loss(Batch(black), END)["reconstruction_nats"].item()
    assert value == pytest.approx(5 * 3 * 8 * 12 * per_pixel, rel=1e-5)


def test_disentangled_total_is_the_weighted_sum_of_its_terms() -> None:
    weights = {
        "beta": 3.0,
        "content_kl_weight": 0.5,
        "motion_kl_weight": 2.0,
        "independence_weight": 7.0,
        "temporal_weight": 0.25,
        "free_bits": 0.0,
    }
    terms = small_model(disentangled_vae, {**TRIO[2][1], **weights}).loss(Batch(clips(3)), END)
    expected = (
        terms["reconstruction_nats"]
        + 1.5 * terms["kl_content_nats"]
        + 6.0 * terms["kl_motion_nats"]
        + 7.0 * terms["independence"]
        + 0.25 * terms["temporal_nats"]
    )
    torch.testing.assert_close(terms["total"], expected)


def test_lstm_temporal_weight_enters_the_total() -> None:
    terms = small_model(lstm_vae, {**TRIO[1][1], "beta": 0.0, "temporal_weight": 0.5}).loss(Batch(clips(2)), END)
    torch.testing.assert_close(terms["total"], terms["reconstruction_nats"] + 0.5 * terms["temporal_nats"])


def test_what_each_code_can_see() -> None:
    model = small_model(*TRIO[2]).eval()
    video = clips(2)
    code, backwards, offset = (model.encode(v) for v in (video, video.flip(1), video + 0.1))
    torch.testing.assert_close(backwards["content"], code["content"])  # the mean frame has no order
    assert not torch.allclose(backwards["motion"], code["motion"])
    torch.testing.assert_close(offset["motion"], code["motion"])  # changes have no offset
    assert not torch.allclose(offset["content"], code["content"])


def test_baseline_cannot_move_and_the_others_can() -> None:
    assert small_model(*TRIO[0]).eval().sample(2).diff(dim=1).abs().max() == 0
    for kind, options in TRIO[1:]:
        assert small_model(kind, options).eval().sample(2).diff(dim=1).abs().amax() > 0


def test_baseline_code_is_the_mean_over_frames() -> None:
    model = small_model(*TRIO[0]).eval()
    video = clips(2)
    frames = torch.stack([model.encode(video[:, t : t + 1])["clip"] for t in range(5)])
    torch.testing.assert_close(model.encode(video)["clip"], frames.mean(0))


def test_decoder_lstm_reads_its_own_output() -> None:
    decoder = small_model(*TRIO[1]).sequence_decoder
    codes = torch.randn(2, 5)
    h0, c0, h1, c1 = decoder.first_states(codes).chunk(4, dim=1)
    signal, outputs = decoder.first_input.expand(2, -1), []
    for _ in range(3):
        h0, c0 = decoder.cells[0](signal, (h0, c0))
        h1, c1 = decoder.cells[1](h0, (h1, c1))
        signal = h1
        outputs.append(decoder.head(signal))
    torch.testing.assert_close(decoder(codes, 3), torch.stack(outputs, dim=1))


@every_kind
def test_bfloat16_autocast_gives_float32_losses(kind: ModuleType, options: dict[str, Any]) -> None:
    model = small_model(kind, options)
    with torch.autocast("cpu", torch.bfloat16):
        terms = model.loss(Batch(clips(2)), END)
        drawn = model.reconstruct(clips(2))
    assert {value.dtype for value in terms.values()} == {torch.float32}
    assert drawn.dtype == torch.float32
    terms["total"].backward()


@pytest.mark.parametrize(
    ("kind", "options", "shape", "message"),
    [
        (
            baseline_vae,
            {},
            ClipShape(12, 1, 40, 64),
            "baseline_vae.channels has 4 stride-2 stages, but frames are 40×64; height and width must be divisible by "
            "16. Give fewer widths or another frame size.",
        ),
        (
            disentangled_vae,
            {"channels": (8,), "motion_channels": (4, 4, 4)},
            ClipShape(12, 1, 12, 12),
            "disentangled_vae.motion_channels has 3 stride-2 stages, but frames are 12×12; height and width must be "
            "divisible by 8. Give fewer widths or another frame size.",
        ),
        (
            lstm_vae,
            {"channels": (8, 0)},
            ODD,
            "lstm_vae.channels is [8, 0]; widths must be ≥ 1. Remove or mend the width 0.",
        ),
        (
            disentangled_vae,
            {"channels": (8,)},
            ClipShape(1, 1, 8, 8),
            "disentangled_vae: clips have 1 frame; motion needs ≥ 2. Set the data's frames to ≥ 2.",
        ),
    ],
)
def test_impossible_sizes_are_named(kind: ModuleType, options: dict[str, Any], shape: ClipShape, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        kind.Model(kind.Config(**options), shape)


@every_kind
def test_a_clip_of_another_length_is_refused_by_the_loss(kind: ModuleType, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="clips must have equal shapes"):
        small_model(kind, options).loss(Batch(clips(2, ODD._replace(frames=4))), END)
