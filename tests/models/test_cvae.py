"""Conditional VAE: published size, the rollout against a plain loop, what a frame may know, schedules, conditions."""

import itertools
import re
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import Generator, Tensor

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError
from whatmoves.models.cvae import FULL_SHAPE, Config, Model
from whatmoves.models.cvae_parts import Gaussian
from whatmoves.models.interface import Future, Step, abilities

ODD = ClipShape(frames=6, channels=3, height=8, width=12, actions=2, states=1)
SMALL: dict[str, Any] = {
    "channels": (4, 5), "depths": (1, 2), "code_width": 6, "latent_dim": 3, "hidden": 7, "past_frames": 2,
}  # fmt: skip
FORCED, FREE = Step(1, 4), Step(1, 1)  # teacher forcing for sure, and surely none; the KL weight is full at both
OPTIONS: list[dict[str, Any]] = [
    {},
    {"prior": "learned", "prior_layers": 2, "posterior_layers": 2, "predictor_layers": 1},
    {"skip_from": "before_last_given", "replace_past": True, "conditions": "actions"},
    {"skip_from": "previous", "predictor_norm": False, "conditions": "states", "depths": (3, 1)},
    {"skip_from": "previous", "replace_past": True, "conditions": "none", "past_frames": 4},
    {"past_frames": 1, "channels": (4,), "depths": (2,), "kl_annealing": "none", "initial_intensity": 0.1},
]

every_option = pytest.mark.parametrize("options", OPTIONS, ids=str)


def small(options: dict[str, Any] | None = None, shape: ClipShape = ODD) -> Model:
    torch.manual_seed(0)
    model = Model(Config(**{**SMALL, **(options or {})}), shape)
    for parameter in model.parameters():  # at 0.02 a fresh net hardly answers to what it is shown
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.4)
    return model


def clips(count: int, shape: ClipShape = ODD) -> Batch:
    generator = Generator().manual_seed(1)
    video = torch.rand((count, *shape[:4]), generator=generator)
    actions = torch.rand((count, shape.frames, shape.actions), generator=generator)
    states = torch.rand((count, shape.frames, shape.states), generator=generator)
    return Batch(video, actions if shape.actions else None, states if shape.states else None)


def foretold(model: Model, batch: Batch, past: int, horizon: int, seed: int | None = 0) -> Tensor:
    frames = past + horizon
    assert batch.actions is not None
    assert batch.states is not None
    generator = None if seed is None else Generator().manual_seed(seed)
    future = Future(batch.actions[:, :frames], batch.states[:, :frames], generator)
    return model.predict(batch.video[:, :past], horizon, future)


def test_full_size_has_the_published_number_of_parameters() -> None:
    def layers(*widths: int) -> int:  # 3×3 convolutions with biases and batch norms
        return sum((9 * a + 1) * b + 2 * b for a, b in itertools.pairwise(widths))

    lstm = 2 * 4 * 256 * (256 + 1)
    encoder = layers(3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512) + (16 * 512 + 1) * 128 + 2 * 128
    decoder = 16 * 128 * 512 + 3 * 512 + (9 * 64 + 1) * 3
    decoder += layers(1024, 512, 512, 256) + layers(512, 256, 256, 128) + layers(256, 128, 64) + layers(128, 64)
    with torch.device("meta"):
        model = Model(Config(), FULL_SHAPE)
        learned = Model(Config(prior="learned", predictor_norm=False), FULL_SHAPE)
    sizes = {name: sum(p.numel() for p in child.parameters()) for name, child in model.named_children()}
    assert sizes == {
        "encoder": encoder,
        "posterior": (128 + 1) * 256 + lstm + 2 * (256 + 1) * 64,
        "prior": 0,
        "predictor": (128 + 64 + 7 + 1) * 256 + 2 * lstm + (256 + 1) * 128 + 2 * 128,
        "decoder": decoder,
    }
    total = sum(sizes.values())
    assert total == 22_241_539
    assert [round(part / 1e6, 2) for part in (total, encoder, decoder)] == [22.24, 8.69, 11.82]
    assert sum(p.numel() for p in learned.parameters()) == total + sizes["posterior"] - 2 * 128


def test_starts_as_the_original() -> None:
    torch.manual_seed(0)
    model = Model(Config(**{**SMALL, "hidden": 256}), ODD)
    for weight in (model.posterior.recurrent.foot.weight, model.encoder.stages[1][3].weight):
        assert weight.std().item() == pytest.approx(0.02, rel=0.15)
    norm, lstm = model.encoder.stages[1][1], model.posterior.recurrent.lstm
    assert 0 < (norm.weight - 1).abs().max() < 0.1
    assert not any(layer.bias.any() for layer in (norm, model.posterior.mean, model.encoder.stages[0][0]))
    assert lstm.weight_hh_l0.abs().max().item() == pytest.approx(256**-0.5, rel=1e-3)
    video = torch.zeros(2, *ODD[:4])
    for depths, grey in (((1, 2), 0.5), ((1, 2), 0.03), ((2, 2), 0.03)):
        model = Model(Config(**{**SMALL, "conditions": "none", "depths": depths, "initial_intensity": grey}), ODD)
        torch.testing.assert_close(model.eval().predict(video, 1).mean().item(), grey, rtol=0.03, atol=0)


@every_option
def test_abilities_and_shapes(options: dict[str, Any]) -> None:
    model, batch = small(options).eval(), clips(2)
    assert abilities(model) == ("encode", "predict")
    assert model.stochastic
    assert model.encode(batch.video)["clip"].shape == (2, 5 * 3)
    for past, horizon in ((1, 1), (2, 4), (5, 1), (3, 3)):
        drawn = foretold(model, batch, past, horizon)
        assert drawn.shape == (2, horizon, 3, 8, 12)
        assert 0 <= drawn.min() < drawn.max() <= 1


@every_option
@pytest.mark.parametrize("step", [FORCED, FREE], ids=["forced", "free"])
def test_gradients_reach_every_parameter(options: dict[str, Any], step: Step) -> None:
    model = small(options).eval()  # in training a bias before batch norm has no effect
    model.loss(clips(3), step)["total"].backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []


def plainly(model: Model, batch: Batch, true: int, latents: Tensor, past: int) -> Tensor:
    """Frames 1 … T − 1 one at a time, a stage's two inputs in one convolution; frames below `true` are given."""
    rule, drawn = model.config.skip_from, []
    told = model._conditions(batch.actions, batch.states, batch.video, past, ODD.frames)
    frames, states, skipped = [batch.video[:, 0]], None, {}
    for step in range(ODD.frames - 1):
        code, skipped[step] = model.encoder(frames[-1])
        _, skipped["true"] = model.encoder(batch.video[:, step])
        if rule == "previous" or step <= max(past - 1 - (rule == "before_last_given"), 0):
            skips = skipped[step] if rule == "previous" else skipped["true"]
        signal = torch.cat((code, latents[:, step], told[:, step]), dim=1)
        features, states = model.predictor(signal[:, None], states)
        maps = model.decoder.foot(features[:, 0, :, None, None])
        for level in reversed(range(len(skips))):
            rise, ground = model.decoder.rise[level], model.decoder.ground[level]
            both = torch.cat((F.interpolate(maps, scale_factor=2), skips[level]), dim=1)
            joined = F.conv2d(both, torch.cat((rise.weight, ground.weight), dim=1), ground.bias, padding=1)
            maps = model.decoder.stages[level](joined)
        drawn.append(maps.sigmoid())
        frames.append(batch.video[:, step + 1] if step + 1 < true else drawn[-1])
    return torch.stack(drawn, dim=1)


@every_option
@pytest.mark.parametrize("true", [5, 4, 1])
def test_frames_known_at_once_are_drawn_as_one_by_one(options: dict[str, Any], true: int) -> None:
    model, batch = small(options).eval(), clips(2)
    latents = torch.randn(2, 5, 3)
    with torch.no_grad():
        codes, skips = model._encoded(batch.video)
        told = model._conditions(batch.actions, batch.states, batch.video, model.config.past_frames, 6)
        drawn, _ = model._rollout(codes[:, :true], skips, model.config.past_frames, latents, latents[:, :0], told)
        expected = plainly(model, batch, true, latents, model.config.past_frames)
    torch.testing.assert_close(drawn, expected, rtol=0, atol=2e-3)  # rounding grows from prediction to prediction


@pytest.mark.parametrize("true", [5, 2])
def test_what_a_drawn_frame_knows(true: int) -> None:
    model, batch = small().eval(), clips(1)
    codes, skips = (model._encoded(batch.video)[0].detach().requires_grad_(), model._encoded(batch.video)[1])
    told = model._conditions(batch.actions, batch.states, batch.video, model.config.past_frames, 6).requires_grad_()
    latents = torch.randn(1, 5, 3).requires_grad_()
    drawn, _ = model._rollout(codes[:, :true], skips, 2, latents, latents[:, :0], told)
    for step in range(5):
        known = torch.autograd.grad(drawn[:, step].sum(), (codes, latents, told), retain_graph=True)
        latest = [values[0].any(1).nonzero().max().item() for values in known]
        assert latest == [min(step, true - 1), step, step]


@every_option
def test_a_clip_does_not_depend_on_its_batch(options: dict[str, Any]) -> None:
    model, batch = small(options).eval(), clips(3)
    video = batch.video.requires_grad_()
    for output in (foretold(model, batch._replace(video=video), 2, 3), model.encode(video)["clip"]):
        (slope,) = torch.autograd.grad(output[1].square().sum(), video)
        assert torch.equal(slope.flatten(1).any(1), torch.tensor([False, True, False]))


@every_option
def test_a_longer_horizon_changes_no_earlier_frame(options: dict[str, Any]) -> None:
    model, batch = small(options).eval(), clips(2)
    torch.testing.assert_close(foretold(model, batch, 2, 4, None)[:, :2], foretold(model, batch, 2, 2, None))
    assert not torch.allclose(foretold(model, batch, 2, 4)[:, 3], foretold(model, batch, 2, 4)[:, 2], rtol=1e-3)


@pytest.mark.parametrize("prior", ["fixed", "learned"])
def test_one_seed_is_one_future_and_no_seed_is_the_mean_latent(prior: str) -> None:
    model, batch = small({"prior": prior}).eval(), clips(2)
    assert torch.equal(foretold(model, batch, 2, 3, 7), foretold(model, batch, 2, 3, 7))
    assert not torch.allclose(foretold(model, batch, 2, 3, 7), foretold(model, batch, 2, 3, 8), rtol=1e-2)
    with torch.no_grad():
        latents = model.posterior(model._encoded(batch.video[:, :2])[0][:, 1:], None)[0].mean
        told = model._conditions(batch.actions, batch.states, batch.video, model.config.past_frames, 6)
        codes, skips = model._encoded(batch.video[:, :2])
        for seed, noise in (
            (None, torch.zeros(2, 3, 3)),
            (7, torch.randn(2, 3, 3, generator=Generator().manual_seed(7))),
        ):
            drawn, priors = model._rollout(codes, skips, 2, latents, noise, told)
            assert torch.equal(foretold(model, batch, 2, 3, seed), drawn[:, 1:])
            free = priors.draw(torch.cat((noise[:, :1], noise), dim=1))[:, 1:]
            given = torch.cat((latents, free), dim=1)
            torch.testing.assert_close(model._rollout(codes, skips, 2, given, noise[:, :0], told)[0], drawn)
    assert (prior == "fixed") == (not priors.mean.any())


def test_a_draw_is_the_mean_and_noise_times_the_deviation() -> None:
    drawn = Gaussian(torch.tensor(1.0), torch.tensor(4.0).log()).draw(torch.tensor(3.0))
    assert drawn.item() == pytest.approx(7.0)  # 1 + 3 · √4


def test_a_learned_prior_reads_the_frames_before_its_own() -> None:
    model, batch = small({"prior": "learned"}).eval(), clips(1)
    codes = model._encoded(batch.video)[0].detach().requires_grad_()
    _, skips = model._encoded(batch.video)
    told = model._conditions(batch.actions, batch.states, batch.video, model.config.past_frames, 6)
    latents = torch.zeros(1, 5, 3)
    _, prior = model._rollout(codes[:, :5], skips, 2, latents, latents[:, :0], told)
    (slope,) = torch.autograd.grad(prior.mean[:, 2].sum(), codes)
    assert slope[0].any(1).tolist() == [True, True, True, False, False, False]


@pytest.mark.parametrize("future", ["held", "true"])
@pytest.mark.parametrize(
    ("conditions", "reads"), [("both", [1, 1]), ("actions", [1, 0]), ("states", [0, 1]), ("none", [0, 0])]
)
def test_a_frame_follows_what_was_told_of_the_one_before(conditions: str, reads: list[int], future: str) -> None:
    model, batch = small({"conditions": conditions, "future_states": future}).eval(), clips(2)
    assert [model.reads_actions, model.reads_states] == reads
    assert model.reads_future_states == (bool(reads[1]) and future == "true")
    before = foretold(model, batch, 2, 4)
    for name, read in zip(("actions", "states"), reads, strict=True):
        for frame, first_changed in ((0, 0), (1, 0), (3, 2), (5, 4)):
            changed = getattr(batch, name).clone()
            changed[:, frame] += 1
            after = foretold(model, batch._replace(**{name: changed}), 2, 4)
            different = [not torch.equal(before[:, k], after[:, k]) for k in range(4)]
            unknown = name == "states" and future == "held" and frame >= 2
            assert different == [bool(read) and not unknown and k >= first_changed for k in range(4)]


@pytest.mark.parametrize(("future", "learns"), [("held", False), ("true", True)])
def test_training_tells_no_more_than_prediction_does(future: str, learns: bool) -> None:
    model, batch = small({"future_states": future}), clips(3)
    assert batch.states is not None
    losses = []
    for lift in (0, 1):
        states = torch.cat((batch.states[:, :2], batch.states[:, 2:] + lift), dim=1)
        torch.manual_seed(0)
        losses.append(model.loss(batch._replace(states=states), FREE)["mse_sum"])
    assert torch.equal(*losses) != learns


def test_works_where_a_data_set_has_no_conditions() -> None:
    bare = ClipShape(frames=6, channels=1, height=8, width=12)
    model, batch = small(shape=bare), clips(3, bare)
    assert not model.reads_actions
    model.loss(batch, FREE)["total"].backward()
    assert model.eval().predict(batch.video[:, :3], 2).shape == (3, 2, 1, 8, 12)


def test_the_code_is_the_posterior_mean_of_each_step_in_turn() -> None:
    model, batch = small().eval(), clips(2)
    code = model.encode(batch.video)["clip"].view(2, 5, 3)
    states = None
    for step in range(5):
        frame, _ = model.encoder(batch.video[:, step + 1])
        posterior, states = model.posterior(frame[:, None], states)
        torch.testing.assert_close(code[:, step], posterior.mean[:, 0])


def test_terms_are_sums_over_steps_and_beta_weighs_what_annealing_leaves() -> None:
    batch = clips(3)
    for options, step, weight in (
        ({"beta": 0.3}, Step(1, 8), 0.3 * 0.5),  # an eighth of the run, a quarter of a cycle, half of its rise
        ({"beta": 0.3}, Step(1, 2), 0.0),
        ({"beta": 0.3, "kl_annealing": "monotonic"}, Step(1, 8), 0.3 * 0.25),
        ({"beta": 0.3, "kl_cycles": 4, "kl_ratio": 1.0}, Step(1, 8), 0.3 * 0.5),
        ({"beta": 0.3, "kl_annealing": "none"}, Step(0, 8), 0.3),
        ({"beta": 0.3, "ignore_beta": True}, Step(1, 8), 0.5),
    ):
        terms = small(options).eval().loss(batch, step)
        assert list(terms) == ["mse_sum", "kl_nats", "total"]
        torch.testing.assert_close(terms["total"], terms["mse_sum"] + weight * terms["kl_nats"])
    model = small({"conditions": "none"}).eval()
    for layer in (model.decoder.ground[0], model.posterior.mean, model.posterior.logvar):
        torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(model.decoder.rise[0].weight)
    torch.nn.init.constant_(model.posterior.mean.bias, 2.0)
    terms = model.loss(Batch(torch.ones_like(batch.video)), FORCED)  # grey ½ instead of white; means of 2
    assert terms["mse_sum"].item() == pytest.approx(5 * 0.25)  # 5 frames
    assert terms["kl_nats"].item() == pytest.approx(5 * 3 * 2.0)  # 5 steps, 3 dimensions, ½ · 2² each


def test_one_coin_a_batch_decides_on_teacher_forcing(monkeypatch: pytest.MonkeyPatch) -> None:
    true: list[int] = []
    unrolled = Model._rollout

    def noted(model: Model, codes: Tensor, *rest: Any) -> Any:
        true.append(codes.shape[1])
        return unrolled(model, codes, *rest)

    monkeypatch.setattr(Model, "_rollout", noted)
    for options, step, expected in (
        ({}, Step(3, 8), [5] * 3),
        ({}, FREE, [2] * 3),
        ({"replace_past": True}, FREE, [1] * 3),
        ({"forcing_decay": 0.0}, FREE, [5] * 3),
        ({"forcing_lower": 1.0}, FREE, [5] * 3),
        ({"forcing": 0.0}, Step(0, 8), [2] * 3),
        ({"forcing_start": 0.0}, Step(1, 2), [2, 5, 2, 2]),  # the global generator's numbers after seed 0, at ½
    ):
        model, batch = small(options), clips(2)
        true.clear()
        torch.manual_seed(3)
        for _ in expected:
            with torch.no_grad(), torch.random.fork_rng():
                torch.manual_seed(len(true))
                model.loss(batch, step)
        drawn = [torch.rand((), generator=Generator().manual_seed(k)).item() < 0.5 for k in range(len(true))]
        assert true == (expected if step != Step(1, 2) else [5 if forced else 2 for forced in drawn])


def test_gradients_flow_through_predictions_that_are_read() -> None:
    model, batch = small().eval(), clips(2)
    codes, skips = model._encoded(batch.video)
    true, skips = codes[:, :2].detach(), [maps.detach() for maps in skips]
    latents = torch.zeros(2, 5, 3)
    told = model._conditions(batch.actions, batch.states, batch.video, model.config.past_frames, 6)
    drawn, _ = model._rollout(true, skips, 2, latents, latents[:, :0], told)
    for step, read in ((1, False), (2, True)):
        slopes = torch.autograd.grad(drawn[:, step].sum(), list(model.encoder.parameters()), retain_graph=True)
        assert {bool(slope.any()) for slope in slopes} == {read}


def test_bfloat16_autocast_gives_float32_losses() -> None:
    for options in OPTIONS:
        model, batch = small(options), clips(2)
        for step in (FORCED, FREE):
            with torch.autocast("cpu", torch.bfloat16):
                terms = model.loss(batch, step)
                drawn = foretold(model, batch, 2, 2)
            assert {value.dtype for value in (*terms.values(), drawn)} == {torch.float32}
            terms["total"].backward()


def test_a_few_steps_teach_what_actions_do() -> None:
    """A dot steps left or right as it is told; that cannot be known from its past."""
    shape = ClipShape(frames=4, channels=1, height=8, width=8, actions=1)
    torch.manual_seed(0)

    def world(count: int) -> Batch:
        actions = torch.randint(0, 2, (count, 4, 1)) * 2.0 - 1
        steps = torch.cat((torch.zeros(count, 1, 1), actions[:, :-1]), dim=1).cumsum(1)
        column = (torch.randint(0, 8, (count, 1)) + steps[..., 0]) % 8
        video = (column[:, :, None] == torch.arange(8)).float()[:, :, None, None, :].expand(-1, -1, 1, 8, -1)
        return Batch(video, actions)

    sizes = {
        "channels": (8, 8),
        "depths": (1, 1),
        "code_width": 16,
        "latent_dim": 2,
        "hidden": 24,
        "predictor_layers": 1,
    }
    model = Model(Config(**sizes, past_frames=1, beta=0.1, kl_annealing="none", initial_intensity=0.125), shape)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(100):
        model.loss(world(16), FORCED)["total"].backward()
        optimiser.step()
        optimiser.zero_grad()
    batch = world(64)
    assert batch.actions is not None
    with torch.no_grad():
        right, wrong = (
            (model.eval().predict(batch.video[:, :1], 3, Future(actions)) - batch.video[:, 1:]).square().mean().item()
            for actions in (batch.actions, batch.actions.roll(1, 0))
        )
    still = (batch.video[:, :1] - batch.video[:, 1:]).square().mean().item()
    assert right < 0.2 * still
    assert right < 0.2 * wrong


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        (
            {},
            ClipShape(2, 3, 64, 64),
            "cvae.past_frames is 2, but clips have 2 frames; must be ≤ 1, for one to predict. Lower past_frames or "
            "raise the data's frames.",
        ),
        (
            {},
            ClipShape(12, 1, 64, 40),
            "cvae.channels has 4 stages, but frames are 64×40; height and width must be divisible by 16. Give fewer "
            "widths and depths, or another frame size.",
        ),
    ],
)
def test_impossible_sizes_are_named(options: dict[str, Any], shape: ClipShape, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        Model(Config(**options), shape)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": (4, 0, 8)}, "channels is [4, 0, 8]; each must be ≥ 1"),
        ({"depths": (1, 0, 1, 1)}, "depths is [1, 0, 1, 1]; each must be ≥ 1"),
        ({"channels": (4, 8)}, "channels has 2 stages and depths 4; give both of one length"),
        ({"forcing": 0.2, "forcing_lower": 0.5}, "forcing_lower is 0.5; must be ≤ forcing, 0.2"),
    ],
)
def test_impossible_settings_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        Config(**options)


def test_missing_conditions_are_named() -> None:
    model, (video, actions, states, _) = small().eval(), clips(2)
    for given, name, found, width in (
        ((None, states), "actions", "none", 2),
        ((actions, None), "states", "none", 1),
        ((actions[:, :3], states), "actions", "[2, 3, 2]", 2),  # type: ignore[index]
    ):
        message = (
            f"cvae.conditions is 'both', but {name} are {found}; must be [2, 6, {width}], one for each frame, given or "
            "to be predicted. Give them, or train with conditions: none"
        )
        with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
            model.predict(video[:, :2], 4, Future(*given))
        if found == "none":
            with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
                model.loss(Batch(video, *given), FORCED)


def test_a_batch_of_one_is_refused_in_training_only() -> None:
    model = small()
    message = "cvae: a batch has 1 clip; batch norm needs ≥ 2. Set training.batch_size to 2 or more."
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        model.loss(clips(1), FREE)
    assert model.eval().loss(clips(1), FREE)["total"].isfinite()


@pytest.mark.slow
def test_one_step_at_full_size_lowers_the_loss() -> None:
    torch.manual_seed(0)
    model = Model(Config(), FULL_SHAPE)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    batch = clips(2, FULL_SHAPE)
    torch.manual_seed(1)
    before = model.loss(batch, FORCED)["total"]
    before.backward()
    optimiser.step()
    torch.manual_seed(1)
    with torch.no_grad():
        assert model.loss(batch, FORCED)["total"] < before
