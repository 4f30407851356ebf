"""Video JEPA: published sizes, closed-form spread terms, both rollouts, probes apart, detection targets, errors."""

import re
from typing import Any

import pytest
import torch
from torch import Tensor

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError
from whatmoves.models.detection_targets import from_centres, from_contours, marked_by_scipy, marked_by_tensors
from whatmoves.models.interface import Step, abilities
from whatmoves.models.jepa import FULL_SHAPE, Config, Model
from whatmoves.models.losses.vicreg import covariance_penalty, variance_hinge

ODD = ClipShape(frames=6, channels=3, height=8, width=16)
SMALL: dict[str, Any] = {
    "encoder_width": 4, "latent_channels": 3, "strides": (2, 1, 1), "predictor_width": 4, "predictor_levels": 2,
    "projector_width": 5, "steps": 2, "pixel_hidden": 4, "detection_grid": 4, "detection_hidden": 4, "code_grid": 2,
}  # fmt: skip
END = Step(1, 1)
OPTIONS: list[dict[str, Any]] = [
    {},
    {"norm": "group", "strides": (1, 1, 1), "latent_channels": 16},
    {"rollout": "textbook", "steps": 4},
    {"projector_statistics": "separate", "count_given_frames": True},
]

every_option = pytest.mark.parametrize("options", OPTIONS, ids=str)


def small(options: dict[str, Any] | None = None) -> Model:
    torch.manual_seed(0)
    model = Model(Config(**{**SMALL, **(options or {})}), ODD)
    for head in (model.pixel_probe, model.detection_probe):  # fresh probes say almost the same everywhere
        for parameter in head.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    return model


def clips(count: int, shape: ClipShape = ODD) -> Tensor:
    return torch.rand((count, *shape[:4]), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("norm", ["batch", "group"])
def test_full_size_has_the_published_numbers_of_parameters(norm: Any) -> None:
    with torch.device("meta"):
        model = Model(Config(norm=norm), FULL_SHAPE)
    sizes = {name: sum(p.numel() for p in child.parameters()) for name, child in model.named_children()}
    # Pixel probe: (9 · 16 + 1) · 16 + 9 · 16 + 1; detection: (9 · 16 + 1) · 32 + 9 · 32 + 1.
    probes = {"pixel_probe": 2_465, "detection_probe": 4_929}
    assert sizes == {"encoder": 89_280, "predictor": 2_032_496, "projector": 5_312, **probes}


@every_option
def test_abilities_and_shapes(options: dict[str, Any]) -> None:
    model = small(options).eval()
    assert abilities(model) == ("encode", "reconstruct", "predict", "detect")
    video = clips(2)
    latent = 16 if options.get("norm") == "group" else 3
    assert model.encode(video)["clip"].shape == (2, 6 * latent * 2 * 2)
    for drawn, frames in ((model.reconstruct(video), 6), (model.predict(video[:, :2], 5), 5)):
        assert drawn.shape == (2, frames, 3, 8, 16)
        assert 0 <= drawn.min() < drawn.max() <= 1
    maps = [model.detect(video), *model.detect_ahead(video)]
    assert [m.shape for m in maps] == [(2, frames, 4, 4) for frames in (6, 4, 3, 2, 1)]
    assert all(0 < m.min() < m.max() < 1 for m in maps)


@every_option
def test_gradients_reach_every_parameter(options: dict[str, Any]) -> None:
    model = small(options)
    model.loss(Batch(clips(3)), END)["total"].backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []


def test_probes_teach_nobody_but_themselves() -> None:
    for term, probe in (("pixel", "pixel_probe"), ("detection", "detection_probe")):
        model = small()
        model.loss(Batch(clips(3)), END)[term].backward()
        assert {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None} == {probe}


def test_the_truth_is_taught_by_the_prediction_too() -> None:
    model = small()
    model.loss(Batch(clips(3)), END)["prediction"].backward()
    taught = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert taught == {"encoder", "predictor", "projector"}


@every_option
def test_a_clip_does_not_depend_on_its_batch(options: dict[str, Any]) -> None:
    model = small(options).eval()
    video = clips(3).requires_grad_()
    for output in (model.reconstruct(video), model.detect_ahead(video)[-1], model.encode(video)["clip"]):
        (slope,) = torch.autograd.grad(output[1].square().sum(), video, retain_graph=True)
        assert torch.equal(slope.flatten(1).any(1), torch.tensor([False, True, False]))


@pytest.mark.parametrize("rollout", ["parallel", "textbook"])
def test_what_a_foreseen_frame_has_seen(rollout: Any) -> None:
    model = small().eval()
    latents = model._latents(clips(1)).detach().requires_grad_()
    for k, sequence in enumerate(model._iterations(latents, 4, rollout), start=1):
        for t in range(6):
            (slope,) = torch.autograd.grad(sequence[:, t].square().sum(), latents, retain_graph=True)
            seen = slope[0].flatten(1).any(1).nonzero().flatten().tolist()
            given = max(1, t - k)  # the newest true frame behind frame t
            older = {"textbook": given - 1, "parallel": max(0, t - 2 * k)}[rollout]
            assert (seen[0], seen[-1]) == ((t, t) if t < 2 else (older, given))


def test_one_step_is_the_same_in_both_rollouts_and_two_steps_are_not() -> None:
    model = small().eval()
    with torch.no_grad():
        latents = model._latents(clips(2))
        parallel, textbook = (list(model._iterations(latents, 4, rule)) for rule in ("parallel", "textbook"))
    assert torch.equal(parallel[0], textbook[0])
    assert torch.equal(parallel[1][:, :4], textbook[1][:, :4])  # frame 3 has only one way to be foreseen twice
    for t in (4, 5):
        assert not torch.allclose(parallel[1][:, t], textbook[1][:, t], rtol=1e-3)


@pytest.mark.parametrize("rollout", ["parallel", "textbook"])
def test_after_all_steps_both_rollouts_are_the_ordinary_one(rollout: Any) -> None:
    model = small().eval()
    with torch.no_grad():
        latents = model._latents(clips(2))
        *_, last = model._iterations(latents, 4, rollout)
        unrolled = model._unrolled(latents[:, :2], 4)
    assert torch.equal(last[:, :2], latents[:, :2])
    torch.testing.assert_close(last[:, 2:], unrolled, rtol=0, atol=0)


def test_the_predictor_reads_the_older_frame_first() -> None:
    model = small().eval()
    latents = model._latents(clips(2))
    expected = model.predictor(torch.cat((latents[:, 3], latents[:, 4]), dim=1))
    torch.testing.assert_close(model._unrolled(latents[:, :5], 1)[:, 0], expected)


def test_textbook_rollout_against_a_plain_loop() -> None:
    model = small().eval()
    with torch.no_grad():
        latents = model._latents(clips(2))
        third = list(model._iterations(latents, 3, "textbook"))[2]
        for t in (4, 5):  # unrolled from frames t − 4 and t − 3
            torch.testing.assert_close(third[:, t], model._unrolled(latents[:, t - 4 : t - 2], 3)[:, -1])


def test_horizons_are_scored_to_the_last() -> None:
    model = small().eval()
    video = clips(2)
    ahead = model.detect_ahead(video, "textbook")
    latents = model._latents(video)
    for h, t in ((1, 5), (3, 4), (4, 5)):
        expected = model._detection_logits(model._unrolled(latents[:, t - h - 1 : t - h + 1], h)[:, -1:]).sigmoid()
        torch.testing.assert_close(ahead[h - 1][:, t - h - 1], expected[:, 0])
    changed = video.clone()
    changed[:, -1] = 0
    for before, after in zip(ahead, model.detect_ahead(changed, "textbook"), strict=True):
        assert torch.equal(before, after)  # the last frame is foreseen, never seen


def test_prediction_reads_the_last_two_frames() -> None:
    model = small().eval()
    video = clips(2)
    assert torch.equal(model.predict(video[:, :4], 2), model.predict(video[:, 2:4], 2))
    torch.testing.assert_close(model.predict(video[:, :4], 3)[:, :2], model.predict(video[:, :4], 2))


def test_the_code_is_the_averaged_map_of_each_frame_in_turn() -> None:
    model = small().eval()
    video = clips(2)
    maps = model._latents(video)  # [2, 6, 3, 4, 8]
    cells = maps.unflatten(3, (2, 2)).unflatten(5, (2, 4)).mean((4, 6))  # [2, 6, 3, 2, 2]
    torch.testing.assert_close(model.encode(video)["clip"], cells.flatten(1))


def test_total_is_the_weighted_sum_of_its_terms() -> None:
    terms = small({"std_weight": 3.0, "cov_weight": 7.0}).loss(Batch(clips(3)), END)
    rest = terms["prediction"] + terms["pixel"] + terms["detection"]
    torch.testing.assert_close(terms["total"], 3 * terms["std"] + 7 * terms["cov"] + rest)
    assert list(terms) == ["std", "cov", "prediction", "pixel", "detection", "total"]


def test_equal_latents_cost_nothing_only_under_shared_statistics() -> None:
    latents = clips(4).mean(2, keepdim=True).repeat(1, 1, 3, 1, 1)
    foreseen = latents.clone()
    foreseen[:, 2:] += torch.rand(1)
    errors = []
    for statistics in ("shared", "separate"):
        model = small({"projector_statistics": statistics})
        truth, (rows,) = model._project(latents, [foreseen])
        errors.append((rows - truth)[:, :2].square().mean().item())
    assert errors[0] == 0
    assert errors[1] > 1e-6


def test_given_frames_thin_out_the_error_by_their_share() -> None:
    for count_given_frames, expected in ((False, 4.0), (True, 4.0 * 4 / 6)):
        model = small({"count_given_frames": count_given_frames})
        truth = torch.zeros(2, 6, 8, 5)
        foreseen = torch.full_like(truth, 2.0)
        foreseen[:, :2] = 0
        assert model._prediction_error(truth, [foreseen, foreseen]).item() == pytest.approx(expected)
        assert model._prediction_error(truth, [foreseen, truth]).item() == pytest.approx(expected / 2)


def test_the_encoder_is_counted_once_a_step() -> None:
    model = small()
    model.loss(Batch(clips(3)), END)
    norms = {name: int(value) for name, value in model.named_buffers() if name.endswith("num_batches_tracked")}
    assert {count for name, count in norms.items() if not name.startswith("predictor")} == {1}
    assert {count for name, count in norms.items() if name.startswith("predictor")} == {2}  # steps


def test_group_norm_is_the_same_in_training_and_evaluation() -> None:
    model = small(OPTIONS[1])
    video = clips(2)
    assert torch.equal(model.train().reconstruct(video), model.eval().reconstruct(video))


def test_variance_hinge_worked_out() -> None:
    # Variances 0.02 (of ±0.1) and 8 (of ±2), unbiased: 1 − √(0.02 + 1e-4) for the first, 0 for the second; the mean.
    rows = torch.tensor([[0.1, 2.0], [-0.1, -2.0]])
    assert variance_hinge(rows).item() == pytest.approx((1 - (0.02 + 1e-4) ** 0.5) / 2, rel=1e-5)
    assert variance_hinge(torch.zeros(5, 3)).item() == pytest.approx(0.99)
    rows = torch.zeros(4, 2, requires_grad=True)
    variance_hinge(rows).backward()
    assert rows.grad is not None
    assert rows.grad.isfinite().all()


def test_covariance_penalty_worked_out() -> None:
    # Covariances of x, −x and a constant, x = ±1 of two rows: var 2, cov −2. Two of six pairs at 4: 8 / 6.
    rows = torch.tensor([[1.0, -1.0, 5.0], [-1.0, 1.0, 5.0]])
    assert covariance_penalty(rows).item() == pytest.approx(8 / 6)
    assert covariance_penalty(rows + 100).item() == pytest.approx(8 / 6, rel=1e-4)
    independent = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert covariance_penalty(independent).item() == 0


def test_spread_terms_have_right_gradients_and_refuse_bad_rows() -> None:
    rows = 0.3 * torch.randn(5, 3, dtype=torch.float32, generator=torch.Generator().manual_seed(0))
    for term in (variance_hinge, covariance_penalty):
        rows.requires_grad_()
        (slope,) = torch.autograd.grad(term(rows), rows)
        nudge = torch.zeros_like(rows)
        nudge[1, 2] = 1e-3
        with torch.no_grad():
            numeric = (term(rows + nudge) - term(rows - nudge)) / 2e-3
        assert slope[1, 2].item() == pytest.approx(numeric.item(), rel=0.02)
        with pytest.raises(ValueError, match=r"rows must be \[N, D\] with N ≥ 2; got \(1, 3\)"):
            term(torch.zeros(1, 3))
    with pytest.raises(ValueError, match="rows have 1 feature; a covariance needs 2"):
        covariance_penalty(torch.zeros(4, 1))


def test_contours_mark_the_box_centre_of_every_bright_shape() -> None:
    video = torch.zeros(2, 3, 1, 16, 32)
    video[0, 0, 0, 0:2, 0:2] = 0.9  # box centre (1, 1)
    video[0, 0, 0, 9, 20], video[0, 0, 0, 10, 21] = 0.9, 0.9  # touch at a corner: one shape, centre (10, 21)
    video[0, 0, 0, 4:6, 8:10] = 0.4  # below the middle of 0 and 0.9
    video[1, 2, 0, 15, 31] = 0.2  # the only grey of its frame
    video[0, 1] = 0.7  # one grey: nothing
    maps = from_contours(video, 4)
    assert maps.shape == (2, 3, 4, 4)
    assert maps.nonzero().tolist() == [[0, 0, 0, 0], [0, 0, 2, 2], [1, 2, 3, 3]]
    # The same shape in the frames before and after is another one.
    video[:, :, :, 0:2, 0:2] = 1.0
    assert from_contours(video, 4)[:, :, 0, 0].tolist() == [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]


def spiral(side: int) -> Tensor:
    """A line one pixel wide, wound inwards with a gap of one pixel: the longest way between two of a shape's pixels."""
    drawn = torch.zeros(side, side, dtype=torch.bool)
    y, x, down, right = 0, 0, 0, 1
    drawn[0, 0] = True
    for turn in range(side):  # the runs are side − 1 pixels, three times, and then 2 fewer after every second
        for _ in range(side - 1 - 2 * max(0, (turn - 1) // 2)):
            y, x = y + down, x + right
            drawn[y, x] = True
        down, right = right, -down
    return drawn


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 2), (2, 3), (7, 5), (17, 33), (64, 64)])
def test_contours_are_the_same_without_the_host(height: int, width: int) -> None:
    """From single pixels to mazes, in all of which shapes are as long as they can be."""
    generator = torch.Generator().manual_seed(0)
    mazes = [torch.rand(6, height, width, generator=generator) < share for share in (0.0, 0.1, 0.3, 0.4, 0.6, 1.0)]
    comb = torch.zeros(height, width, dtype=torch.bool)
    comb[:, ::2], comb[-1] = True, True
    for maze in (comb, spiral(height)) if height == width else (comb,):
        mazes.append(torch.stack([maze, maze.flip(0), maze.flip(1), maze.flip((0, 1))]))
    for bright in mazes:
        for grid in (1, 4, 16):
            assert torch.equal(marked_by_tensors(bright, grid), marked_by_scipy(bright, grid))


def test_centres_mark_their_cells() -> None:
    centres = torch.tensor([[[[0.0, 31.9], [7.9, 8.0]], [[16.0, -3.0], [16.0, -3.0]]]])
    maps = from_centres(centres, height=16, width=32, grid=4)
    assert maps.nonzero().tolist() == [[0, 0, 0, 3], [0, 0, 1, 1], [0, 1, 3, 0]]


def test_positions_are_the_targets_where_a_batch_has_them() -> None:
    model = small({"targets": "positions"})
    video = clips(2)
    centres = torch.full((2, 6, 1, 2), 3.0)
    assert torch.equal(model.detection_targets(Batch(video, centres_px=centres)), from_centres(centres, 8, 16, 4))
    message = (
        "jepa.targets is 'positions', but this data set gives no centres_px with its batches; write targets: contours"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        model.loss(Batch(video), END)


def test_detection_term_follows_the_targets() -> None:
    model = small()
    for parameter in model.detection_probe.parameters():
        torch.nn.init.zeros_(parameter)
    model.detection_probe.layers[-1].bias.data.fill_(-2.0)  # every cell at sigmoid(−2)
    video = torch.zeros_like(clips(2))
    video[:, :, :, 1, 1] = 1.0  # one of 16 cells
    positive, negative = torch.tensor(-2.0).sigmoid(), torch.tensor(2.0).sigmoid()
    expected = -(positive.log() + 15 * negative.log()) / 16
    torch.testing.assert_close(model.loss(Batch(video), END)["detection"], expected)


def test_bfloat16_autocast_gives_float32_losses() -> None:
    model = small()
    with torch.autocast("cpu", torch.bfloat16):
        terms = model.loss(Batch(clips(2)), END)
        drawn = model.predict(clips(2), 2)
    assert {value.dtype for value in (*terms.values(), drawn)} == {torch.float32}
    terms["total"].backward()


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        (
            {},
            ClipShape(2, 1, 64, 64),
            "jepa: clips have 2 frames; must be ≥ 3: two that are given, one that follows.",
        ),
        (
            {"steps": 8},
            ClipShape(9, 1, 64, 64),
            "jepa.steps is 8, but clips of 9 frames have 7 after the two given; must be ≤ 7. More steps would repeat "
            "the last.",
        ),
        (
            {"strides": (2, 2, 1), "predictor_levels": 2},
            ClipShape(10, 1, 32, 24),
            "jepa.strides are [2, 2, 1] and predictor_levels 2, but frames are 32×24; height and width must be "
            "divisible by 16. Stride or halve less.",
        ),
    ],
)
def test_impossible_sizes_are_named(options: dict[str, Any], shape: ClipShape, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        Model(Config(**options), shape)


def test_a_past_of_one_frame_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^jepa: prediction starts from 1 frame; must be ≥ 2\. Give more past"):
        small().predict(clips(1)[:, :1], 1)


@pytest.mark.slow
def test_one_step_at_full_size_changes_the_weights() -> None:
    torch.manual_seed(0)
    model = Model(Config(), FULL_SHAPE)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    before = [p.detach().clone() for p in model.parameters()]
    terms = model.loss(Batch(clips(1, FULL_SHAPE)), END)
    terms["total"].backward()
    optimiser.step()
    assert all(value.isfinite() for value in terms.values())
    assert all(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))
