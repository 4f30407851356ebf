"""Drawing: against plain loops, by hand, and torch against NumPy."""

import numpy as np
import pytest
import torch

from whatmoves.data.render import Drawing, place, render, render_torch

SIZES = [(1, 5, 8, 3), (2, 28, 64, 20), (3, 14, 32, 7), (2, 9, 10, 4)]  # digits, digit_px, image_px, frames


def scene(digits: int, digit_px: int, image_px: int, frames: int, clips: int = 70) -> tuple[np.ndarray, np.ndarray]:
    """Random pictures without a margin, and places anywhere in the frame, both walls included."""
    rng = np.random.default_rng(digit_px)
    images = rng.integers(0, 256, (clips, digits, digit_px, digit_px), dtype=np.uint8)
    places = rng.uniform(0, image_px - digit_px, (clips, digits, frames, 2))
    places[0, 0, 0], places[1, 0, 0] = 0, image_px - digit_px
    return images, places


@pytest.mark.parametrize("size", SIZES)
def test_integer_drawing_equals_the_plain_loop(size: tuple[int, int, int, int]) -> None:
    digits, digit_px, image_px, frames = size
    images, places = scene(*size)
    expected = np.zeros((70, frames, 1, image_px, image_px), np.uint8)
    for n in range(70):
        for t in range(frames):
            for o in range(digits):
                y, x = int(places[n, o, t, 0]), int(places[n, o, t, 1])
                for i in range(digit_px):
                    row = expected[n, t, 0, y + i, x : x + digit_px]
                    row[:] = np.maximum(row, images[n, o, i])
    np.testing.assert_array_equal(render(images, places, image_px, "integer"), expected)


def test_subpixel_by_hand() -> None:
    images = np.zeros((1, 1, 2, 2), np.uint8)
    images[0, 0, 0, 0] = 200
    # A lone pixel at row 1 + 0.25, column 0.5: three quarters stay in row 1, a half moves to column 1.
    frame = render(images, np.array([[[[1.25, 0.5]]]]), 4, "subpixel")[0, 0, 0]
    assert frame.tolist() == [[0, 0, 0, 0], [75, 75, 0, 0], [25, 25, 0, 0], [0, 0, 0, 0]]


def test_overlap_keeps_the_brighter() -> None:
    images = np.full((1, 2, 2, 2), 100, np.uint8)
    images[0, 1] = [[50, 150], [150, 50]]
    frame = render(images, np.array([[[[0, 0]], [[0, 1]]]], dtype=float), 4, "integer")[0, 0, 0]
    assert frame[:2].tolist() == [[100, 100, 150, 0], [100, 150, 50, 0]]


@pytest.mark.parametrize("size", SIZES)
def test_subpixel_equals_the_plain_formula_to_the_last_bit(size: tuple[int, int, int, int]) -> None:
    images, places = scene(*size)
    images[:, :, :2] = images[..., -1:] = 0  # a margin, which drawing leaves out
    whole = np.minimum(np.floor(places), size[2] - size[1] - 1).astype(int)
    down, right = np.moveaxis((places - whole).astype(np.float32), -1, 0)[..., None, None]
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))[:, :, None].astype(np.float32) + np.float32(0.5)
    rows = down * (padded[..., :-1, :] - padded[..., 1:, :]) + padded[..., 1:, :]
    moved = (right * (rows[..., :-1] - rows[..., 1:]) + rows[..., 1:]).astype(np.uint8)
    expected = np.zeros((70, size[3], size[2], size[2]), np.uint8)
    for n, o, t in np.ndindex(70, size[0], size[3]):
        y, x = whole[n, o, t]
        square = expected[n, t, y : y + size[1] + 1, x : x + size[1] + 1]
        np.maximum(square, moved[n, o, t], out=square)
    for layout in (places, np.asfortranarray(places)):
        np.testing.assert_array_equal(render(images, layout, size[2], "subpixel")[:, :, 0], expected)


@pytest.mark.parametrize("drawing", ["subpixel", "integer"])
def test_floats_are_the_bytes_divided_by_255(drawing: Drawing) -> None:
    images, places = scene(*SIZES[1])
    images[3:5] = 0
    for rows in (slice(None), slice(3, 5), slice(0)):  # all, black ones, none
        drawn = [render(images[rows], places[rows], 64, drawing, dtype) for dtype in (np.uint8, np.float32)]
        assert torch.equal(torch.from_numpy(drawn[0]).float().div_(255), torch.from_numpy(drawn[1]))


@pytest.mark.parametrize("size", SIZES)
def test_subpixel_at_whole_places_equals_integer(size: tuple[int, int, int, int]) -> None:
    images, places = scene(*size)
    whole = np.floor(places)
    subpixel = render(images, whole, size[2], "subpixel")
    np.testing.assert_array_equal(subpixel, render(images, whole, size[2], "integer"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("drawing", ["subpixel", "integer"])
@pytest.mark.parametrize(
    "device",
    ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))],
)
def test_torch_equals_numpy_within_rounding(size: tuple[int, int, int, int], drawing: Drawing, device: str) -> None:
    images, places = scene(*size)
    drawn = render_torch(torch.from_numpy(images).to(device).float() / 255, places, size[2], drawing)
    expected = render(images, places, size[2], drawing)
    assert drawn.shape == expected.shape
    assert np.abs(drawn.cpu().numpy() * 255 - expected).max() <= (0.5 + 1e-2 if drawing == "subpixel" else 1e-3)


def test_a_placed_digit_pulls_on_its_place() -> None:
    bump = torch.exp(-((torch.arange(7.0) - 3) ** 2) / 4)
    images = (bump[:, None] * bump)[None, None]
    goal = place(images, torch.tensor([[[[5.0, 4.0]]]]), 16)
    corner = torch.tensor([[[[4.6, 4.7]]]], requires_grad=True)
    (place(images, corner, 16) - goal).square().sum().backward()
    assert corner.grad is not None
    assert corner.grad[0, 0, 0, 0] < 0 < corner.grad[0, 0, 0, 1], "down and to the left"
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(place(images, torch.tensor([[[[5.0, 4.0]]]]), 16), goal)
