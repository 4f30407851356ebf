"""The what–where VAE: where it finds things, what moves its codes, slots, losses, prediction, gradients, errors."""

from typing import Any

import pytest
import torch
from torch import Tensor

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError
from whatmoves.models.interface import Step, abilities
from whatmoves.models.localisation import Localiser, ownership
from whatmoves.models.path_codes import PathDecoder, PathEncoder
from whatmoves.models.what_where_vae import Config, Model

ODD = ClipShape(5, 3, 8, 12)
GREY = ClipShape(5, 1, 24, 32)
SMALL: dict[str, Any] = {
    "channels": (3, 4), "features": 7, "window_px": 8, "localiser_channels": (4, 5), "content_dim": 6, "motion_dim": 3,
    "hidden": 9, "slots": 2,
}  # fmt: skip
OPTIONS: dict[str, dict[str, Any]] = {
    "two slots": {},
    "one slot": {"slots": 1},
    "scale": {"scale": True},
    "rotation": {"rotation": True},
    "scale and rotation": {"scale": True, "rotation": True},
    "frames": {"content_input": "frames"},
    "mean frame": {"content_input": "mean_frame"},
    "differences": {"motion_input": "differences"},
    "broadcast": {"placement": "broadcast", "scale": True},
    "unsplit": {"split": False},
    "unsplit broadcast": {"split": False, "placement": "broadcast", "reconstruction": "mse"},
}
END = Step(1, 1)

every_option = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


def small_model(shape: ClipShape = ODD, **options: Any) -> Model:
    torch.manual_seed(0)
    return Model(Config(**{**SMALL, **options}), shape)


def clips(count: int, shape: ClipShape = ODD) -> Tensor:
    size = (count, shape.frames, shape.channels, shape.height, shape.width)
    return torch.rand(size, generator=torch.Generator().manual_seed(1))


def blobs(*paths: Tensor, shape: ClipShape = GREY) -> Tensor:
    """One clip `[1, T, 1, H, W]` of round blobs whose centres (y, x) follow `paths`, each `[T, 2]`, pixels."""
    rows, columns = torch.arange(shape.height), torch.arange(shape.width)
    drawn = [
        torch.exp(-((rows[:, None] - y) ** 2 + (columns - x) ** 2) / 3.0) for path in paths for y, x in path.tolist()
    ]
    video: Tensor = torch.stack(drawn).view(len(paths), 1, -1, 1, shape.height, shape.width).amax(0)
    return video


def line(y: float, x: float, down: float, right: float, frames: int = 5) -> Tensor:
    steps = torch.arange(frames)[:, None]
    return torch.tensor([[y, x]]) + steps * torch.tensor([[down, right]])


@every_option
def test_abilities_shapes_and_code_widths(options: dict[str, Any]) -> None:
    model = small_model(**options).eval()
    video, slots = clips(2), options.get("slots", 2)
    assert abilities(model) == ("encode", "decode", "reconstruct", "sample", "predict")
    code = model.encode(video)
    widths = {"clip": 9 * slots} if "split" in options else {"content": 6 * slots, "motion": 3 * slots}
    assert {name: tuple(block.shape) for name, block in code.items()} == {n: (2, d) for n, d in widths.items()}
    assert model.path(video).shape == (2, slots, 5, 2)
    for drawn, count in ((model.decode(code), 2), (model.sample(3, torch.Generator().manual_seed(0)), 3)):
        assert drawn.shape == (count, 5, 3, 8, 12)
        assert drawn.dtype == torch.float32
        assert drawn.min() >= 0
        assert drawn.max() <= 1
    assert torch.equal(model.reconstruct(video), model.decode(code))


@every_option
def test_gradients_reach_every_parameter(options: dict[str, Any]) -> None:
    model = small_model(**options)
    model.loss(Batch(clips(3)), END)["total"].backward()  # type: ignore[no-untyped-call]
    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []


@every_option
def test_a_clip_does_not_depend_on_its_batch(options: dict[str, Any]) -> None:
    model = small_model(**options).eval()
    video = clips(3).requires_grad_()
    drawn = model.reconstruct(video)
    (slope,) = torch.autograd.grad(drawn[1].square().sum(), video)
    assert torch.equal(slope.flatten(1).any(1), torch.tensor([False, True, False]))
    torch.testing.assert_close(model.reconstruct(video[2:]), drawn[2:])


def test_paths_are_where_things_are_and_move_with_them() -> None:
    model = small_model(GREY, slots=1).eval()
    there = line(8, 20, 1, -2)
    found = model.path(blobs(there))[0, 0]
    assert (found - there).abs().max() < 2.0  # untrained, it looks a little beside
    for shift in ((4, -6), (-2, 4)):  # whole cells, of two pixels
        moved = model.path(blobs(there + torch.tensor(shift)))[0, 0]
        torch.testing.assert_close(moved - found, torch.tensor(shift).float().expand(5, 2), atol=0.05, rtol=0)


def test_on_black_it_looks_at_the_middle() -> None:
    model = small_model(GREY, slots=1).eval()
    middle = torch.tensor([22.0, 30.0]) / 2  # of the cells, whose last one is a pixel from the rim
    torch.testing.assert_close(model.path(torch.zeros(1, 5, 1, 24, 32)), middle.expand(1, 1, 5, 2))


def test_content_stays_and_motion_changes_where_an_object_flies_elsewhere() -> None:
    model = small_model(GREY, slots=1).eval()
    here, there, wider = (model.encode(blobs(line(y, x, 1, 2))) for y, x in ((8, 9), (12, 15), (12, 9)))
    for other in (there, wider):
        assert (here["content"] - other["content"]).abs().max() < 0.02 * here["content"].abs().max()
        assert (here["motion"] - other["motion"]).abs().max() > 0.05 * here["motion"].abs().max()


def test_differences_do_not_see_what_stands_still() -> None:
    path, still = line(8, 8, 1, 2), line(18, 26, 0, 0)
    for motion_input, same in (("differences", True), ("path", False)):
        model = small_model(GREY, slots=1, motion_input=motion_input).eval()
        alone, beside = model.encode(blobs(path))["motion"], model.encode(blobs(path, still))["motion"]
        assert torch.allclose(alone, beside, atol=1e-3) == same


def test_slots_keep_their_object_through_a_crossing_and_are_ordered_from_the_left() -> None:
    upper, lower = line(4, 26, 2, -2.5, 9), line(21, 5, -2, 2.5, 9)  # their paths cross in frame 4
    video = blobs(upper, lower, shape=ClipShape(9, 1, 24, 32))[:, :, 0]
    rows, columns = torch.linspace(-1, 1, 24), torch.linspace(-1, 1, 32)
    cells = torch.cartesian_prod(rows, columns)
    saliency = video.flatten(2) / video.flatten(2).sum(-1, keepdim=True)
    for clip in (saliency, saliency.flip(1)):
        shares = ownership(clip, cells, 2)
        torch.testing.assert_close(shares.sum(1), torch.ones(1, 9, 24 * 32))
        owned = shares * clip[:, None]
        centres = (owned @ cells) / owned.sum(-1, keepdim=True)
        centres = (centres[0] + 1) * torch.tensor([23.0, 31.0]) / 2
        left, right = (lower, upper) if clip is saliency else (upper.flip(0), lower.flip(0))
        clear = [0, 1, 2, 6, 7, 8]
        assert (centres[0] - left)[clear].abs().max() < 1.0
        assert (centres[1] - right)[clear].abs().max() < 1.0


def test_slots_are_exchangeable_and_drawn_by_their_maximum() -> None:
    model = small_model(GREY).eval()
    code = {name: torch.randn(2, 2 * width) for name, width in (("content", 6), ("motion", 3))}
    slots = {name: block.unflatten(1, (2, -1)) for name, block in code.items()}  # type: ignore[no-untyped-call]
    exchanged = {name: block.flip(1).flatten(1) for name, block in slots.items()}
    drawn = model.decode(code)
    torch.testing.assert_close(model.decode(exchanged), drawn)
    assert not torch.allclose(model.decode({**code, "motion": exchanged["motion"]}), drawn)
    alone = [model.decode({name: block[:, [k, k]].flatten(1) for name, block in slots.items()}) for k in (0, 1)]
    torch.testing.assert_close(torch.maximum(*alone), drawn)


def test_one_picture_is_drawn_along_the_whole_path() -> None:
    """Every frame of a decoded clip shows the same picture: cropped along the path they are all alike."""
    model = small_model(GREY, slots=1).eval()
    poses = 2 * line(8, 9, 2, 3) / torch.tensor([23.0, 31.0]) - 1
    drawn = model._draw(torch.randn(1, 1, 6), poses[None, None])[0, :, 0]
    lit = torch.stack([frame[4 + 2 * t : 12 + 2 * t, 5 + 3 * t : 13 + 3 * t] for t, frame in enumerate(drawn)])
    centred = model._draw(torch.randn(1, 1, 6), torch.zeros(1, 1, 5, 2))
    assert centred.diff(dim=1).abs().max() == 0
    # A window of 8 around a whole pixel lies half a pixel off the grid, in every frame alike.
    torch.testing.assert_close(lit, lit[:1].expand_as(lit), atol=1e-5, rtol=0)
    assert lit.std() > 1e-3


def test_samples_depend_on_the_generator_alone() -> None:
    model = small_model().eval()
    first, again, other = (model.sample(2, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize("split", [True, False])
def test_training_carries_the_gaussian_that_samples_come_from_and_nothing_else_reads_it(split: bool) -> None:
    model, prior = (small_model(split=split, sample_from=name) for name in ("codes", "prior"))
    untrained = [each.eval().sample(2, torch.Generator().manual_seed(0)) for each in (model, prior)]
    torch.testing.assert_close(*untrained, atol=1e-4, rtol=0)
    totals = []
    for each in (model, prior):
        each.loss(Batch(clips(3)), END)  # not training: the Gaussian stays
        assert all(not aggregate.mean.any() for _, aggregate in each._aggregates())
        each.train()
        for _ in range(50):
            each.loss(Batch(clips(3)), END)
        torch.manual_seed(2)
        totals.append(each.loss(Batch(clips(3)), END)["total"])
        assert all(aggregate.mean.any() for _, aggregate in each._aggregates())
    assert totals[0] == totals[1]
    from_codes, from_prior = (each.eval().sample(2, torch.Generator().manual_seed(0)) for each in (model, prior))
    assert not torch.allclose(from_codes, from_prior)


@pytest.mark.parametrize("motion_input", ["path", "differences"])
@pytest.mark.parametrize("seen", [1, 2, 5, 8])
def test_predictions_are_of_the_frames_asked_for(motion_input: str, seen: int) -> None:
    model = small_model(GREY, motion_input=motion_input).eval()
    past = torch.cat((clips(2, GREY), clips(2, GREY).flip(1)), dim=1)[:, :seen]
    for horizon in (1, 4, 11):
        drawn = model.predict(past, horizon)
        assert drawn.shape == (2, horizon, 1, 24, 32)
        assert drawn.isfinite().all()
        assert torch.equal(drawn, model.predict(past, horizon))


def test_a_prediction_is_the_rest_of_the_clip_that_the_past_begins() -> None:
    model = small_model(GREY).eval()
    video = clips(2, GREY)
    for seen in (1, 3):
        past = video[:, :seen]
        torch.testing.assert_close(model.predict(past, 5 - seen), model.decode(model.encode(past))[:, seen:])
    assert not torch.allclose(model.predict(video[:, :3], 2), model.predict(video[:, :2], 3)[:, 1:])


def test_the_total_is_the_weighted_sum_of_its_terms() -> None:
    weights: dict[str, Any] = {
        "beta": 3.0, "content_kl_weight": 0.5, "motion_kl_weight": 2.0, "path_weight": 7.0, "prediction_weight": 0.25,
        "free_bits": 0.0, "kl_start": 0.0, "kl_warmup": 0.5,
    }  # fmt: skip
    for progress, beta in ((Step(1, 4), 1.5), (END, 3.0)):
        terms = small_model(**weights).loss(Batch(clips(3)), progress)
        kl = 0.5 * terms["kl_content_nats"] + 2.0 * terms["kl_motion_nats"]
        others = terms["reconstruction_nats"] + 7.0 * terms["path_nats"] + 0.25 * terms["prediction_nats"]
        torch.testing.assert_close(terms["total"], others + beta * kl)
    unsplit = small_model(**weights, split=False).loss(Batch(clips(3)), END)
    others = unsplit["reconstruction_nats"] + 7.0 * unsplit["path_nats"] + 0.25 * unsplit["prediction_nats"]
    torch.testing.assert_close(unsplit["total"], others + 3.0 * unsplit["kl_clip_nats"])


def test_path_nats_are_squared_pixels_over_twice_the_variance_summed_over_the_path() -> None:
    model = small_model(GREY, slots=1, path_deviation_px=2.0)
    last = model.path_decoder.layers[-1]
    torch.nn.init.zeros_(last.weight)  # type: ignore[arg-type]
    torch.nn.init.zeros_(last.bias)  # type: ignore[arg-type]
    video = torch.cat([blobs(line(8, 9, 1, 2)), blobs(line(15, 20, -1, 0))])
    from_middle = model.path(video) - torch.tensor([11.5, 15.5])
    terms = model.loss(Batch(video), END)
    expected = from_middle.square().sum() / 2 / 8  # of two clips; 2 · 2²
    torch.testing.assert_close(terms["path_nats"], expected)
    torch.testing.assert_close(terms["prediction_nats"], expected)


def test_predictions_are_learned_from_every_number_of_first_frames() -> None:
    model = small_model(GREY, slots=1, path_deviation_px=2.0).eval()
    video = torch.cat([blobs(line(8, 9, 1, 2)), blobs(line(15, 20, -1, 0))])
    found = model.path(video)
    errors = []
    for past in (2, 3, 4):
        motion = model.encode(video[:, :past])["motion"]
        predicted = (model.path_decoder(motion) + 1) * torch.tensor([23.0, 31.0]) / 2
        errors.append((predicted - found[:, 0]).square().sum() / 2 / 8)  # of two clips; 2 · 2²
    terms = model.loss(Batch(video), END)
    torch.testing.assert_close(terms["prediction_nats"], torch.stack(errors).mean(), rtol=1e-4, atol=0)


@pytest.mark.parametrize("slots", [1, 2])
def test_places_are_exact_under_autocast(slots: int) -> None:
    y, x = torch.arange(64.0)[:, None], torch.arange(64.0)
    frames = [torch.exp(-((y - 20.3 - 0.05 * t).square() + (x - 30.1).square()) / 18) for t in range(8)]
    video = torch.stack(frames)[None, :, None]
    torch.manual_seed(0)
    localiser = Localiser(ClipShape(8, 1, 64, 64), (8, 8), slots, 2).eval()
    encoder, decoder = PathEncoder(8, 2, 16), PathDecoder(16, 16, 8, 2)
    with torch.no_grad():
        exact = localiser(video)
        way = decoder(encoder(exact))
        with torch.autocast("cpu", torch.bfloat16):
            torch.testing.assert_close(localiser(video), exact, rtol=0, atol=0.005 * 2 / 63)  # a 200th of a pixel
            torch.testing.assert_close(decoder(encoder(exact)), way, rtol=0, atol=0.005 * 2 / 63)


def test_being_predictable_does_not_reach_the_localiser() -> None:
    model = small_model()
    model.loss(Batch(clips(2)), END)["prediction_nats"].backward()  # type: ignore[no-untyped-call]
    assert model.path_decoder.layers[-1].weight.grad is not None
    assert all(not p.grad.any() for p in model.localiser.parameters() if p.grad is not None)


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        (
            {"window_px": 10}, ODD,
            "what_where_vae.window_px is 10, but what_where_vae.channels has 2 stride-2 stages; it must be divisible "
            "by 4. Set window_px to 12 or give fewer widths.",
        ),
        (
            {"localiser_channels": (0,)}, ODD,
            "what_where_vae.localiser_channels is [0]; widths must be ≥ 1. Remove or mend the width 0.",
        ),
        (
            {"placement": "broadcast"}, ODD._replace(height=10),
            "what_where_vae.channels has 2 stride-2 stages, but frames are 10×12; height and width must be divisible "
            "by 4. Give fewer widths or another frame size.",
        ),
        (
            {"channels": (3, 0)}, ODD,
            "what_where_vae.channels is [3, 0]; widths must be ≥ 1. Remove or mend the width 0.",
        ),
        (
            {}, ODD._replace(frames=1),
            "what_where_vae: clips have 1 frame; motion needs ≥ 2. Set the data's frames to ≥ 2.",
        ),
    ],
)  # fmt: skip
def test_impossible_settings(options: dict[str, Any], shape: ClipShape, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        small_model(shape, **options)
    assert str(error.value) == message


def test_frames_need_no_divisible_size_where_crops_and_pictures_have_their_own() -> None:
    shape = ClipShape(2, 1, 11, 13)
    model = small_model(shape).eval()
    assert model.reconstruct(clips(2, shape)).shape == (2, 2, 1, 11, 13)
