"""TinyDreams: published sizes, pairs, both forms of attention, every loss term, the adversarial game, errors."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import Tensor

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError
from whatmoves.models.interface import Future, Step, abilities
from whatmoves.models.losses.adversarial import discriminator_nats
from whatmoves.models.tinydreams import FULL_SHAPE, Config, Model
from whatmoves.models.tinydreams_parts import Attention, Discriminator, make_norm

ODD = ClipShape(frames=5, channels=3, height=12, width=16, actions=2)
STILL = ODD._replace(actions=0)
SMALL: dict[str, Any] = {
    "patch_px": 4, "dim": 6, "depth": 2, "heads": 2, "dropout": 0.0, "registers": 2, "action_hidden": (5,),
    "tokenizer_channels": (4,), "tokenizer_blocks": 1, "decoder_channels": (5, 4), "decoder_blocks": 1,
    "discriminator_channels": (4, 3), "discriminator_hidden": (5,),
}  # fmt: skip
END = Step(1, 1)
LABELS = ((0.0, 0.2), (0.8, 1.0))
OPTIONS: list[dict[str, Any]] = [
    {},
    {"attention": "interleaved", "past_frames": 2, "pairs_per_clip": None, "skip": True},
    {"tokenizer": "patch", "norm": "batch", "registers": 0, "still_weight": 0.4, "pairs_per_clip": 3},
    {"edge_weight": 1.0, "spectrum_weight": 1.0, "ssim_weight": 1.0, "perceptual_weight": 1.0, "tokenizer_blocks": 2},
    {"adversarial_weight": 0.01, "adversarial_condition": "past", "past_frames": 3, "decoder_blocks": 2},
    {"dropout": 0.2, "token_noise": 0.1, "gradient_checkpointing": True, "initial_intensity": 0.1},
]

every_option = pytest.mark.parametrize("options", OPTIONS, ids=str)


def small(options: dict[str, Any] | None = None, shape: ClipShape = ODD) -> Model:
    torch.manual_seed(0)
    return Model(Config(**{**SMALL, **(options or {})}), shape)


def clips(count: int, shape: ClipShape = ODD) -> Batch:
    generator = torch.Generator().manual_seed(1)
    video = torch.rand((count, *shape[:4]), generator=generator)
    if not shape.actions:
        return Batch(video)
    return Batch(video, torch.rand((count, shape.frames, shape.actions), generator=generator))


def size(*modules: torch.nn.Module | None) -> int:
    return sum(p.numel() for module in modules if module is not None for p in module.parameters())


def test_full_size_has_the_published_numbers_of_parameters() -> None:
    with torch.device("meta"):
        plain = Model(Config(), FULL_SHAPE)
        crossed = Model(Config(attention="interleaved", adversarial_weight=0.01), FULL_SHAPE)
        original = Model(Config(adversarial_weight=0.01, discriminator_hidden=(512, 256, 1)), FULL_SHAPE)
    parts = {name: size(child) for name, child in plain.named_children()}
    # Registers: 12 · 308 of the transformer's; and 308 · 8 · 8 positions.
    assert parts == {"tokenizer": 8_518_404, "action_token": 22_607, "transformer": 13_336_400, "head": 4_295_371}
    assert size(plain) == sum(parts.values()) + 308 * 64 == 26_192_494
    assert size(crossed) - size(crossed.discriminator) == 31_539_374
    assert (round(26_192_494 / 1e6, 2), round(31_539_374 / 1e6, 2)) == (26.19, 31.54)
    assert size(original.discriminator) == 363_459
    assert size(crossed.discriminator) == 363_457  # without the second of two last layers of width 1


@every_option
@pytest.mark.parametrize("shape", [ODD, STILL])
def test_abilities_and_shapes(options: dict[str, Any], shape: ClipShape) -> None:
    if not shape.actions:
        options = {**options, "still_weight": 0.0}
    model = small(options, shape).eval()
    video, actions = clips(2, shape)[:2]
    assert abilities(model) == ("encode", "predict")
    assert model.reads_actions == (shape.actions > 0)
    assert model.encode(video)["clip"].shape == (2, 12)
    drawn = model.predict(video[:, :3], 2, Future(actions))
    assert drawn.shape == (2, 2, 3, 12, 16)
    assert 0 <= drawn.min() < drawn.max() <= 1
    looks = model.attention(video)
    assert looks.shape == (2, 6 - model.config.past_frames, 2, model.config.registers, 3, 4)
    assert (looks.sum((4, 5)) < 1).all()


@every_option
def test_gradients_reach_every_parameter(options: dict[str, Any]) -> None:
    model = small(options)
    model.loss(clips(3), END)["total"].backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or (p.numel() and not p.grad.any())]
    assert without == []


def test_without_the_gate_half_of_the_cross_attention_is_dead() -> None:
    model = small({"attention": "interleaved", "action_gate": False})
    model.loss(clips(3), END)["total"].backward()
    dead = {name.split(".", 3)[3] for name, p in model.named_parameters() if p.grad is not None and not p.grad.any()}
    asked = {"asking_norm.weight", "asking_norm.bias", "queries.weight", "queries.bias"}
    assert dead == {name if "norm" in name else f"context_attention.{name}" for name in asked}
    keys = model.transformer.blocks[0].context_attention.keys_values.weight.grad[:6]  # keys stand before values
    assert not keys.any()


def test_gated_attention_worked_out() -> None:
    attention = Attention(dim=2, heads=1, dropout=0.0, gated=True)
    for layer in (attention.queries, attention.mix):
        torch.nn.init.eye_(layer.weight)
    attention.keys_values.weight.data = torch.cat((torch.eye(2), torch.eye(2)))
    asking, seen = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[3.0, -1.0]]])
    share = torch.tensor((3.0 - 2.0) / 2**0.5).sigmoid()  # e^s / (e^s + e^0)
    torch.testing.assert_close(attention.weights(asking, seen), share.view(1, 1, 1, 1))
    torch.testing.assert_close(attention(asking, seen), share * seen)
    attention.gated = False
    assert attention.weights(asking, seen).item() == 1


def test_attention_weights_are_what_attention_uses() -> None:
    torch.manual_seed(0)
    attention = Attention(dim=6, heads=3, dropout=0.0)
    tokens, seen = torch.rand(2, 4, 6), torch.rand(2, 5, 6)
    values = attention.keys_values(seen)[..., 6:].unflatten(2, (3, 2)).transpose(1, 2)
    found = attention.weights(tokens, seen) @ values
    torch.testing.assert_close(attention(tokens, seen), attention.mix(found.transpose(1, 2).flatten(2)))


@every_option
def test_a_clip_does_not_depend_on_its_batch(options: dict[str, Any]) -> None:
    model = small(options).eval()
    video, actions = clips(3)[:2]
    video.requires_grad_()
    for output in (
        model.predict(video[:, :3], 2, Future(actions)),
        model.encode(video)["clip"],
        model.attention(video),
    ):
        if output.numel():
            (slope,) = torch.autograd.grad(output[1].square().sum(), video)
            assert torch.equal(slope.flatten(1).any(1), torch.tensor([False, True, False]))


@pytest.mark.parametrize("form", ["concatenated", "interleaved"])
def test_which_actions_a_prediction_reads(form: str) -> None:
    model = small({"attention": form}).eval()
    video, actions = clips(2)[:2]
    assert actions is not None
    actions.requires_grad_()
    drawn = model.predict(video[:, :2], 3, Future(actions))
    for t in range(3):
        (slope,) = torch.autograd.grad(drawn[:, t].square().sum(), actions, retain_graph=True)
        assert slope.abs().sum((0, 2)).nonzero().flatten().tolist() == list(range(1, 2 + t))
    torch.testing.assert_close(model.predict(video[:, :2], 2, Future(actions[:, :3])), drawn[:, :2])
    assert not torch.allclose(model.predict(video[:, :2], 3, Future(actions.flip(0))), drawn, rtol=1e-3)


def test_prediction_feeds_on_itself_and_reads_its_last_frames() -> None:
    model = small({"past_frames": 2}).eval()
    video, actions = clips(2)[:2]
    assert actions is not None
    drawn = model.predict(video[:, :3], 2, Future(actions))
    torch.testing.assert_close(model.predict(video[:, 1:3], 2, Future(actions[:, 1:])), drawn)
    again = model.predict(torch.cat((video[:, 2:3], drawn[:, :1]), 1), 1, Future(actions[:, 2:]))
    torch.testing.assert_close(again[:, 0], drawn[:, 1])
    swapped = torch.cat((video[:, 2:3], video[:, 1:2]), 1)
    assert not torch.allclose(model.predict(swapped, 2, Future(actions[:, 1:])), drawn, rtol=1e-3)


@pytest.mark.parametrize("wanted", [1, 3, None])
def test_pairs_are_neighbours_of_one_clip(wanted: int | None) -> None:
    model = small({"past_frames": 2, "pairs_per_clip": wanted})
    time = torch.arange(5.0).view(1, 5, 1, 1, 1).expand(4, *ODD[:4])
    video = time + 10 * torch.arange(4.0).view(4, 1, 1, 1, 1)
    past, actions, truth = model._pairs(Batch(video, video[:, :, 0, 0, :2]))
    assert actions is not None
    pairs = wanted or 3
    assert (past.shape, actions.shape, truth.shape) == (
        (4 * pairs, 2, 3, 12, 16),
        (4 * pairs, 2),
        (4 * pairs, 3, 12, 16),
    )
    moments = truth[:, 0, 0, 0].view(4, pairs)
    assert torch.equal((moments // 10).long(), torch.arange(4)[:, None].expand(-1, pairs))  # pairs of a clip together
    for clip in moments:
        assert len(set(clip.tolist())) == pairs
        assert {2, 3, 4} >= set((clip % 10).tolist())
    assert torch.equal(past[:, :, 0, 0, 0], torch.stack((truth[:, 0, 0, 0] - 2, truth[:, 0, 0, 0] - 1), 1))
    assert torch.equal(actions[:, 0], truth[:, 0, 0, 0] - 1)


def test_one_pair_a_clip_is_drawn_from_all_of_them() -> None:
    model = small()
    video = torch.arange(5.0).view(1, 5, 1, 1, 1).expand(200, *ODD[:4])
    torch.manual_seed(0)
    moments = model._pairs(Batch(video, torch.zeros(200, 5, 2)))[2][:, 0, 0, 0]
    assert torch.bincount(moments.long(), minlength=5).tolist()[0] == 0
    assert min(torch.bincount(moments.long())[1:]) > 30  # 50 expected, deviation 6


def test_the_code_is_pooled_tokens_of_all_windows_and_of_the_last() -> None:
    model = small({"past_frames": 2}).eval()
    video = clips(2).video
    windows = [model._tokens(video[:, t : t + 2], torch.zeros(2, 2)).mean(1) for t in range(4)]
    expected = torch.cat((torch.stack(windows).mean(0), windows[-1]), 1)
    torch.testing.assert_close(model.encode(video)["clip"], expected)


@pytest.mark.parametrize("form", ["concatenated", "interleaved"])
def test_only_image_tokens_leave_the_transformer_and_nothing_normalises_them(form: str) -> None:
    transformer = small({"attention": form}).transformer
    for name, parameter in transformer.named_parameters():
        if "mix" in name or "feedforward.4" in name:  # what each part adds
            torch.nn.init.zeros_(parameter)
    image = 5 * torch.rand(2, 12, 6)
    torch.testing.assert_close(transformer(image, torch.rand(2, 1, 6)), image, rtol=0, atol=0)


def test_registers_look_where_the_first_block_says() -> None:
    model = small().eval()
    video, actions = clips(2)[:2]
    assert actions is not None
    image, token = model._image(video[:, 3:4]), model._action(actions[:, 3])
    first = model.transformer.blocks[0]
    tokens = first.attention_norm(torch.cat((model.transformer.registers.expand(2, -1, -1), token, image), 1))
    expected = first.attention.weights(tokens, tokens).mean(1)[:, :2, 3:]
    torch.testing.assert_close(model.attention(video, actions)[:, 3, 0].flatten(2), expected)


def test_total_is_the_weighted_sum_of_its_terms() -> None:
    weights = {"l1": 2.0, "edges": 3.0, "spectrum": 4.0, "dissimilarity": 5.0, "features": 6.0, "still": 7.0}
    keys = ("l1", "edge", "spectrum", "ssim", "perceptual", "still")
    options = {f"{key}_weight": weight for key, weight in zip(keys, weights.values(), strict=True)}
    terms = small(options).loss(clips(3), END)
    assert list(terms) == [*weights, "total"]
    torch.testing.assert_close(terms["total"], torch.stack([weights[n] * terms[n] for n in weights]).sum())
    assert list(small().loss(clips(3), END)) == ["l1", "total"]


def test_still_asks_for_the_last_frame_under_zero_actions() -> None:
    model = small({"still_weight": 1.0, "past_frames": 2, "pairs_per_clip": None})
    video = clips(2).video
    drawn = model._drawn(*(model._windows(video[:, :4])))
    still = model.loss(clips(2), END)["still"]
    torch.testing.assert_close(still, F.l1_loss(drawn, video[:, 1:4].flatten(0, 1)))


def test_untrained_grey_and_skip() -> None:
    video = clips(2).video
    model = small({"initial_intensity": 0.1})
    torch.nn.init.zeros_(model.head.head.weight)
    assert model._drawn(video[:, :1], torch.zeros(2, 2)).mean().item() == pytest.approx(0.1, rel=0.2)
    model = small({"skip": True})
    torch.nn.init.zeros_(model.head.head.weight)
    model.head.head.bias.data = torch.tensor([0.0, 0.0, 0.0, 2.0])  # grey ½; the mask is sigmoid(2)
    mask = torch.tensor(2.0).sigmoid()
    torch.testing.assert_close(model._drawn(video[:, :1], torch.zeros(2, 2)), mask * video[:, 0] + (1 - mask) / 2)


def test_instance_norm_is_blind_to_brightness_and_batch_norm_is_not() -> None:
    video = clips(2).video[:, :1]
    maps = video[:, 0]
    torch.testing.assert_close(make_norm("instance", 3)(maps), F.instance_norm(maps))
    for norm, blind in (("instance", True), ("batch", False)):
        model = small({"norm": norm}).eval()
        bright, dim = (model._tokens(light * video, torch.zeros(2, 2)) for light in (1.0, 0.5))
        assert torch.allclose(bright, dim, atol=2e-3) == blind


def test_checkpointing_gives_equal_gradients() -> None:
    gradients = []
    for checkpointed in (False, True):
        model = small({"gradient_checkpointing": checkpointed, "dropout": 0.2, "attention": "interleaved"})
        torch.manual_seed(3)
        model.loss(clips(2), END)["total"].backward()
        gradients.append([p.grad for p in model.parameters()])
    for plain, again in zip(*gradients, strict=True):
        assert torch.equal(plain, again)


def test_token_noise_is_of_training_only() -> None:
    model = small({"token_noise": 1.0})
    video = clips(2).video[:, :1]
    drawn = [model._drawn(video, torch.zeros(2, 2)) for _ in range(2)]
    assert not torch.allclose(*drawn, rtol=1e-3)
    model.eval()
    assert torch.equal(model._drawn(video, torch.zeros(2, 2)), model._drawn(video, torch.zeros(2, 2)))


def game(model: Model, *terms: str) -> dict[str, list[Tensor]]:
    """Gradients of the sum of some terms, of the discriminator and of the rest."""
    model.zero_grad(set_to_none=True)
    torch.manual_seed(3)
    losses = model.loss(clips(4), END)
    torch.stack([losses[term] for term in terms]).sum().backward()
    found: dict[str, list[Tensor]] = {"discriminator": [], "rest": []}
    for name, p in model.named_parameters():
        if p.grad is not None:
            found["discriminator" if name.startswith("discriminator") else "rest"].append(p.grad.clone())
    return found


@pytest.mark.parametrize("condition", ["none", "past"])
def test_one_backward_pass_moves_both_players_each_by_its_own_term(condition: str) -> None:
    model = small({"adversarial_weight": 0.5, "adversarial_condition": condition, "past_frames": 2})
    assert game(model, "generator_nats")["discriminator"] == []
    assert game(model, "discriminator_nats")["rest"] == []
    both, judge, rest = game(model, "total"), game(model, "discriminator_nats"), game(model, "l1")
    for one, other in zip(both["discriminator"], judge["discriminator"], strict=True):
        assert torch.equal(one, other)
    lured = game(model, "generator_nats")["rest"]
    for total, plain, pull in zip(both["rest"], rest["rest"], lured, strict=True):
        torch.testing.assert_close(total, plain + 0.5 * pull, rtol=1e-3, atol=1e-6)


def test_the_discriminator_learns_to_tell_stripes_from_noise() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(3, (8, 8), (8,))
    optimiser = torch.optim.Adam(discriminator.parameters(), lr=1e-2)
    stripes = (torch.arange(16) // 2 % 2).float().expand(8, 3, 16, 16)
    for _ in range(100):
        nats = discriminator_nats(discriminator(stripes), discriminator(torch.rand(8, 3, 16, 16)), LABELS, 0.05)
        optimiser.zero_grad()
        nats.backward()
        optimiser.step()
    assert nats < 1.0  # 2 ln 2 = 1.39 says nothing; labels of 0.1 and 0.9 leave 0.65, give or take their noise


def test_adversarial_terms_do_not_choose_the_best_weights() -> None:
    terms = small({"adversarial_weight": 0.5}).eval().loss(clips(3), END)
    assert list(terms) == ["l1", "generator_nats", "discriminator_nats", "total"]
    assert torch.equal(terms["total"], terms["l1"])


def test_fixed_features_are_no_part_of_the_model(tmp_path: Path) -> None:
    model = small({"perceptual_weight": 1.0, "perceptual_judge": tmp_path / "judges.pt"})  # no such file yet
    before = list(model.state_dict())
    model.eval().predict(clips(2).video[:, :1], 1, Future(clips(2).actions))
    with pytest.raises(Exception, match=r"judges\.pt: cannot read it"):
        model.loss(clips(2), END)
    model = small({"perceptual_weight": 1.0})
    model.loss(clips(2), END)
    assert list(model.state_dict()) == before


@every_option
def test_bfloat16_autocast_gives_float32_losses(options: dict[str, Any]) -> None:
    model = small(options)
    batch = clips(2)
    with torch.autocast("cpu", torch.bfloat16):
        terms = model.loss(batch, END)
        drawn = model.predict(batch.video[:, :3], 1, Future(batch.actions))
        code = model.encode(batch.video)["clip"]
    assert {value.dtype for value in (*terms.values(), drawn, code)} == {torch.float32}
    terms["total"].backward()


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        (
            {"past_frames": 5},
            ODD,
            "tinydreams.past_frames is 5, but clips have 5 frames; must be ≤ 4, for one to predict. Lower past_frames "
            "or raise the data's frames.",
        ),
        (
            {"past_frames": 2, "pairs_per_clip": 4},
            ODD,
            "tinydreams.pairs_per_clip is 4, but clips have 3 pairs; must be ≤ 3, or null for all",
        ),
        (
            {"patch_px": 8, "tokenizer_channels": (4, 4), "decoder_channels": (4, 4, 4)},
            ODD,
            "tinydreams.patch_px is 8, but frames are 12×16; height and width must be divisible by it. Set a smaller "
            "patch.",
        ),
        (
            {"ssim_weight": 0.5},
            ODD._replace(height=8),
            "tinydreams.ssim_weight is 0.5, but frames are 8×16; SSIM needs ≥ 11 px on each side. Set it to 0.",
        ),
        (
            {"still_weight": 0.4},
            STILL,
            "tinydreams.still_weight is 0.4, but this data set has no actions: the same past would have to become its "
            "last frame and the next. Set it to 0.",
        ),
    ],
)
def test_impossible_sizes_are_named(options: dict[str, Any], shape: ClipShape, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        small(options, shape)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patch_px": 6}, "patch_px is 6; must be a power of 2: 4 or 8"),
        ({"heads": 4}, "dim is 6 and heads 4; dim must be divisible by heads"),
        ({"decoder_channels": (4,)}, "decoder_channels has 1 widths; patch_px 4 needs 2"),
        (
            {"tokenizer_channels": (4, 6)},
            "tokenizer_channels has 2 widths; patch_px 4 needs 1, since the last stage has dim",
        ),
        ({"made_labels": (1.0, 0.8)}, "made_labels is [1, 0.8]; must be [lowest, highest]"),
    ],
)
def test_settings_that_contradict_each_other_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(f"Value error, {message} [type")):
        small(options)


def test_missing_actions_and_short_pasts_are_refused() -> None:
    model = small({"past_frames": 2}).eval()
    video, actions = clips(1)[:2]
    assert actions is not None
    advice = "Give the actions of all frames, past and to come, or train it on a data set without any."
    for given, found in (
        (None, "none are given"),
        (actions[:, :3], "they are [1, 3, 2]"),
        (actions[:, :, :1], "they are [1, 5, 1]"),
    ):
        with pytest.raises(ConfigError) as caught:
            model.predict(video[:, :3], 2, Future(given))
        assert str(caught.value) == f"tinydreams: it reads actions [clips, 4, 2], but {found}. {advice}"
    with pytest.raises(ConfigError, match=r"^tinydreams: it reads actions \[clips, 5, 2\], but none are given\."):
        model.loss(Batch(video), END)
    with pytest.raises(ConfigError) as caught:
        model.predict(video[:, :1], 2, Future(actions))
    fix = "set past_frames to ≤ 1 or give more frames"
    assert str(caught.value) == f"tinydreams.past_frames is 2, but prediction starts from 1 frames; {fix}"
    with pytest.raises(ConfigError) as caught:
        model.encode(video[:, :1])
    assert str(caught.value) == f"tinydreams.past_frames is 2, but the video has 1 frames; {fix}"


@pytest.mark.slow
@pytest.mark.parametrize("form", ["concatenated", "interleaved"])
def test_one_step_at_full_size_changes_the_weights(form: str) -> None:
    torch.manual_seed(0)
    model = Model(Config(attention=form, adversarial_weight=0.01, still_weight=0.4), FULL_SHAPE)
    optimiser = torch.optim.AdamW(model.parameters(), lr=6e-4, weight_decay=1e-5)
    before = [p.detach().clone() for p in model.parameters()]
    terms = model.loss(clips(1, FULL_SHAPE), END)
    terms["total"].backward()
    optimiser.step()
    assert all(value.isfinite() for value in terms.values())
    assert all(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))
