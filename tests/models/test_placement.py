"""Pasting and cropping: whole pixels copy, the rest is worked out by hand, and one undoes the other."""

import math

import pytest
import torch
from torch import Tensor

from whatmoves.data.clips import ClipShape
from whatmoves.models.placement import BroadcastDecoder, crop, paste

H, W = 9, 14


def at(y_px: float, x_px: float, *others: float) -> Tensor:
    """The pose `[1, P]` of a picture whose centre stands at that pixel."""
    return torch.tensor([[2 * y_px / (H - 1) - 1, 2 * x_px / (W - 1) - 1, *others]])


def dot(size: int, row: int, column: int) -> Tensor:
    picture = torch.zeros(1, 1, size, size)
    picture[0, 0, row, column] = 1.0
    return picture


def lit(frames: Tensor) -> dict[tuple[int, int], float]:
    """Row, column → value of all pixels that are not black."""
    values = {(int(r), int(c)): round(frames[0, 0, r, c].item(), 4) for r, c in frames[0, 0].nonzero()}
    return {place: value for place, value in values.items() if value}


@pytest.mark.parametrize(
    ("picture", "pose", "expected"),
    [
        (dot(5, 2, 2), at(3, 8), {(3, 8): 1.0}),
        (dot(5, 0, 1), at(3, 8), {(1, 7): 1.0}),
        (dot(4, 1, 2), at(3.5, 8.5), {(3, 9): 1.0}),  # an even picture's centre lies between pixels
        (dot(5, 2, 2), at(3, 8.25), {(3, 8): 0.75, (3, 9): 0.25}),
        (dot(5, 2, 2), at(3.5, 8), {(3, 8): 0.5, (4, 8): 0.5}),
        (dot(5, 0, 1), at(1, 8), {}),  # above the frame
        (dot(5, 4, 4), at(8, 13), {}),
    ],
)
def test_a_dot_lands_where_it_must(picture: Tensor, pose: Tensor, expected: dict[tuple[int, int], float]) -> None:
    assert lit(paste(picture, pose, H, W)) == expected


@pytest.mark.parametrize(
    ("others", "rotation", "expected"),
    [
        ((math.log(2),), False, (0, 8)),  # above the centre, now twice as far
        ((math.pi / 2,), True, (4, 10)),  # clockwise: what was above is on the right
        ((math.log(2), math.pi / 2), True, (4, 12)),
        ((math.log(2), math.pi), True, (8, 8)),
    ],
)
def test_scale_and_angle(others: tuple[float, ...], rotation: bool, expected: tuple[int, int]) -> None:
    pose = at(4, 8, *others)
    frame = paste(dot(5, 0, 2), pose, H, W, rotation)
    assert lit(frame)[expected] == pytest.approx(1.0, abs=1e-3)
    assert crop(dot_in_frame(*expected), pose, 5, rotation)[0, 0, 0, 2] == pytest.approx(1.0, abs=1e-3)


def dot_in_frame(row: int, column: int) -> Tensor:
    frame = torch.zeros(1, 1, H, W)
    frame[0, 0, row, column] = 1.0
    return frame


def test_whole_pixels_are_copied_and_cropping_undoes_pasting() -> None:
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(3, 2, 5, 5, generator=generator)
    poses = torch.cat([at(2, 2), at(4, 9), at(6, 11)])
    frames = paste(pictures, poses, H, W)
    assert frames.shape == (3, 2, H, W)
    torch.testing.assert_close(frames[1, :, 2:7, 7:12], pictures[1], atol=2e-6, rtol=0)
    torch.testing.assert_close(frames.sum(), pictures.sum())
    torch.testing.assert_close(crop(frames, poses, 5), pictures, atol=5e-6, rtol=0)


def test_cropping_undoes_pasting_of_smooth_pictures_at_any_pose() -> None:
    places = torch.arange(15.0) - 7
    picture = torch.exp(-((places[:, None] - 1) ** 2) / 12 - (places[None] + 2) ** 2 / 16)[None, None]
    pose = torch.tensor([[0.1, -0.2, 0.3, 0.7]])
    frame = paste(picture, pose, 40, 50, rotation=True)
    torch.testing.assert_close(crop(frame, pose, 15, rotation=True), picture, atol=0.05, rtol=0)
    assert frame.sum().item() == pytest.approx(picture.sum().item() * math.exp(2 * 0.3), rel=0.02)


def test_at_life_size_pasting_is_the_transpose_of_cropping() -> None:
    generator = torch.Generator().manual_seed(1)
    pictures, frames = torch.rand(6, 1, 4, 4, generator=generator), torch.rand(6, 1, H, W, generator=generator)
    poses = torch.rand(6, 2, generator=generator) * 2.4 - 1.2
    torch.testing.assert_close((paste(pictures, poses, H, W) * frames).sum(), (pictures * crop(frames, poses, 4)).sum())


def test_a_picture_can_be_pulled_to_its_place() -> None:
    """The slope on a pose points to where the target lies, along its own axis."""
    places = torch.arange(5.0) - 2
    picture = torch.exp(-(places[:, None] ** 2 + places[None] ** 2) / 2)[None, None]
    target = paste(picture, at(5.2, 8.5), H, W)
    pose = at(4.3, 8.5).requires_grad_()
    (slope,) = torch.autograd.grad((paste(picture, pose, H, W) - target).square().sum(), pose)
    assert slope[0, 0] < -0.1
    assert abs(slope[0, 1]) < 1e-3


def test_broadcast_decoder_draws_by_coordinates() -> None:
    torch.manual_seed(0)
    decoder = BroadcastDecoder(ClipShape(5, 3, 8, 12), (4, 6), 7, 0.05).eval()
    drawn = decoder(torch.randn(2, 7))
    assert drawn.shape == (2, 3, 8, 12)
    assert drawn.sigmoid().mean().item() == pytest.approx(0.05, rel=0.3)
    for axis in (0, 1):  # rows, then columns
        assert torch.equal(decoder.coordinates[axis], -decoder.coordinates[axis].flip(axis))
        assert torch.equal(decoder.coordinates[axis], decoder.coordinates[axis].flip(1 - axis))
