"""The what–where VAE: paths follow the objects, pictures stay where paths say, and every option trains every weight."""

from typing import Any

import pytest
import torch

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError
from whatmoves.models.interface import Step, abilities
from whatmoves.models.what_where_vae import Config, Model

SHAPE = ClipShape(frames=5, channels=1, height=16, width=24)
SMALL: dict[str, Any] = {
    "channels": (4,), "features": 8, "window_px": 8, "localiser_channels": (4,),
    "content_dim": 3, "motion_dim": 4, "hidden": 8,
}  # fmt: skip


def model(shape: ClipShape = SHAPE, **options: Any) -> Model:
    torch.manual_seed(0)
    return Model(Config(**{**SMALL, **options}), shape)


def blobs(count: int, shape: ClipShape = SHAPE, row: int = 4, column: int = 3) -> torch.Tensor:
    """Clips of one bright 3×3 square that goes right by 2 pixels a frame, `count` copies of different brightness."""
    video = torch.zeros(count, *shape[:4])
    for t in range(shape.frames):
        video[:, t, :, row : row + 3, column + 2 * t : column + 2 * t + 3] = 1
    return video * torch.linspace(0.7, 1, count)[:, None, None, None, None]


@pytest.mark.parametrize(
    "options",
    [
        {}, {"slots": 2}, {"scale": True}, {"rotation": True}, {"scale": True, "rotation": True},
        {"content_input": "frames"}, {"content_input": "mean_frame"}, {"motion_input": "differences"},
        {"placement": "broadcast"}, {"split": False}, {"reconstruction": "mse"},
    ],
    ids=str,
)  # fmt: skip
def test_every_option_trains_every_weight(options: dict[str, Any]) -> None:
    net = model(**options)
    terms = net.loss(Batch(blobs(3)), Step(10, 10))
    assert all(torch.isfinite(term) for term in terms.values())
    terms["total"].backward()
    without = [name for name, parameter in net.named_parameters() if parameter.grad is None]
    assert not without
    moved = sum(float(parameter.grad.abs().sum()) for parameter in net.parameters() if parameter.grad is not None)
    assert moved > 0


def test_the_path_follows_the_object_pixel_by_pixel() -> None:
    net = model().eval()
    with torch.inference_mode():
        path = net._path(blobs(1))  # [1, 1, T, 2]
        lower = net._path(blobs(1, row=8))
    steps = path[0, 0].diff(dim=0) * torch.tensor([SHAPE.height - 1, SHAPE.width - 1]) / 2
    assert steps[:, 1] == pytest.approx([2.0] * 4, abs=0.25)  # two pixels to the right, every frame
    assert steps[:, 0] == pytest.approx([0.0] * 4, abs=0.1)
    shift = (lower - path)[0, 0] * torch.tensor([SHAPE.height - 1, SHAPE.width - 1]) / 2
    assert shift[:, 0] == pytest.approx([4.0] * 5, abs=0.25)


def test_blocks_have_their_widths_and_clips_do_not_meet() -> None:
    net, video = model(slots=2).eval(), blobs(3)
    with torch.inference_mode():
        code = net.encode(video)
        alone = net.encode(video[1:2])
        assert {name: tuple(block.shape) for name, block in code.items()} == {"content": (3, 6), "motion": (3, 8)}
        for name in code:
            torch.testing.assert_close(code[name][1:2], alone[name])
        assert net.decode(code).shape == video.shape
        assert net.sample(2, torch.Generator().manual_seed(1)).shape == (2, *SHAPE[:4])
        unsplit = model(split=False).eval()
        assert {name: tuple(block.shape) for name, block in unsplit.encode(video).items()} == {"clip": (3, 7)}


def test_slots_may_change_places() -> None:
    net = model(slots=2).eval()
    with torch.inference_mode():
        code = net.encode(blobs(2))
        exchanged = {name: block.unflatten(1, (2, -1)).flip(1).flatten(1) for name, block in code.items()}
        torch.testing.assert_close(net.decode(code), net.decode(exchanged))


def test_content_moves_nothing_and_motion_paints_nothing() -> None:
    net = model().eval()
    with torch.inference_mode():
        code = net.encode(blobs(2))
        other = {**code, "content": code["content"] + 3}
        _, motion = net._by_slot(code)
        _, same = net._by_slot(other)
        assert torch.equal(net.path_decoder(motion), net.path_decoder(same))
        still = net._draw(net._by_slot(code)[0], torch.zeros(2, 1, 3, 2))
        assert torch.equal(still[:, 0], still[:, 2])  # one picture at one place is one frame


def test_prediction_sees_only_the_past_and_goes_as_far_as_asked() -> None:
    net, video = model().eval(), blobs(2)
    with torch.inference_mode():
        for past, horizon in ((1, 2), (3, 2), (5, 9)):
            assert net.predict(video[:, :past], horizon).shape == (2, horizon, *SHAPE[1:4])
        changed = video.clone()
        changed[:, 3:] = 1 - changed[:, 3:]
        assert torch.equal(net.predict(video[:, :3], 4), net.predict(changed[:, :3], 4))


def test_abilities_and_sizes() -> None:
    assert abilities(Model) == ("encode", "decode", "reconstruct", "sample", "predict")
    with torch.device("meta"):
        full = Model(Config(), ClipShape(20, 1, 64, 64))
    assert sum(parameter.numel() for parameter in full.parameters()) > 1_000_000


def test_clips_that_cannot_be_are_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match=r"^what_where_vae: clips have 1 frame; motion needs ≥ 2"):
        model(SHAPE._replace(frames=1))
    with pytest.raises(ConfigError, match=r"what_where_vae\.channels has 2 stride-2 stages"):
        model(window_px=6, channels=(4, 4))
