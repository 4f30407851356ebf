"""Where objects are, as maps: a cell of a coarse grid is 1 where an object's centre lies in it, else 0.

Two sources. `from_centres` takes the generator's own positions. `from_contours` looks for bright shapes in the frames,
as the video JEPA's original does: it asks nothing of the data, but two digits that touch become one shape, and a digit
with a loose stroke two. Two objects in one cell make one positive either way. Neither makes a GPU wait for the host.
"""

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

IN_FRAME = np.array([np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))])
"""What touches what: all eight neighbours in a frame, nothing between frames."""


def from_centres(centres_px: Tensor, height: int, width: int, grid: int) -> Tensor:
    """Maps `[B, T, grid, grid]`, float 0 or 1, of `centres_px` `[B, T, O, 2]` (y, x) in pixels from the top left edge.

    A centre outside the frame falls into the border cell next to it.
    """
    B, T = centres_px.shape[:2]
    # Filled where it is used: numbers sent from the host would be waited for, and a division by a plain number is on
    # some devices a product with its inverse, which can miss the border of a cell.
    size = torch.stack([centres_px.new_full((), side) for side in (height, width)])
    cells = (centres_px * grid / size).floor().long().clamp(0, grid - 1)
    index = (cells[..., 0] * grid + cells[..., 1]).reshape(B * T, -1)
    maps = torch.zeros(B * T, grid * grid, device=centres_px.device)
    return maps.scatter_(1, index, 1.0).reshape(B, T, grid, grid)


def from_contours(video: Tensor, grid: int) -> Tensor:
    """Maps `[B, T, grid, grid]`, float 0 or 1, of `video` `[B, T, C, H, W]`, on its device.

    A frame's bright pixels are those above the middle between its least and greatest (mean over channels). Each
    connected shape marks the cell of its bounding box's centre. A frame of one grey has none. From the same bright
    pixels every device finds the same maps, in whole numbers.
    """
    grey = video.mean(2).flatten(0, 1)
    middle = (grey.amin((1, 2), keepdim=True) + grey.amax((1, 2), keepdim=True)) / 2
    marked = marked_by_scipy if video.device.type == "cpu" else marked_by_tensors
    return torch.unflatten(marked(grey > middle, grid), 0, video.shape[:2])


def marked_by_scipy(bright: Tensor, grid: int) -> Tensor:
    """Maps `[N, grid, grid]` of the connected shapes in `bright` `[N, H, W]`, both on the CPU, where this is the
    faster way by far."""
    N, H, W = bright.shape
    labels, _ = ndimage.label(bright.numpy(), structure=IN_FRAME)
    boxes = ndimage.find_objects(labels)
    maps = np.zeros((N, grid, grid), np.float32)
    for frame, rows, columns in boxes:
        # In whole numbers: half of start + stop is the centre, and stop ≤ side keeps the cell inside.
        y, x = (rows.start + rows.stop) * grid // (2 * H), (columns.start + columns.stop) * grid // (2 * W)
        maps[frame.start, y, x] = 1.0
    return torch.from_numpy(maps)


def marked_by_tensors(bright: Tensor, grid: int) -> Tensor:
    """What `marked_by_scipy` answers, on any device and without a look at a value from the host."""
    N, H, W = bright.shape
    labels = shapes(bright)
    rows, columns = (
        torch.arange(side, device=bright.device).view(shape).expand(H, W).flatten().expand(N, -1)
        for side, shape in ((H, (H, 1)), (W, (1, W)))
    )
    nothing = labels.new_zeros(N, H * W + 1)  # one entry a label; the last is that of dark pixels
    y, x = (
        ((nothing + side).scatter_reduce(1, labels, at, "amin") + nothing.scatter_reduce(1, labels, at, "amax") + 1)
        * grid // (2 * side)
        for at, side in ((rows, H), (columns, W))
    )  # fmt: skip
    there = torch.zeros_like(nothing, dtype=torch.bool).scatter(1, labels, True)
    there[:, -1] = False
    cells = torch.where(there, y * grid + x, grid * grid)  # a cell beyond the last for labels without a shape
    maps = torch.zeros(N, grid * grid + 1, device=bright.device).scatter(1, cells, 1.0)
    return maps[:, :-1].reshape(N, grid, grid)


def shapes(bright: Tensor) -> Tensor:
    """Labels `[N, H · W]` of the pixels of `bright` `[N, H, W]`: the place of the first pixel of its connected shape in
    its frame, counted by rows; H · W where it is dark.

    Every part begins as one pixel. In a round each part joins the neighbour with the least label, if that is less than
    its own. A part that no neighbour undercuts is joined in this round, or has a neighbour in the next that was joined
    to something less than it: so two rounds halve the parts of a shape, if it has more than one. The first round leaves
    at most one in a square of four pixels. That many rounds are made, for to ask whether fewer would do is to wait.
    """
    N, H, W = bright.shape
    dark, bright = H * W, bright.flatten(1)
    places = torch.arange(dark + 1, device=bright.device).expand(N, -1)
    labels = torch.where(bright, places[:, :-1], dark)
    for _ in range(1 + 2 * ((H + 1) // 2 * ((W + 1) // 2) - 1).bit_length()):
        # Whole numbers up to 2²⁴ are exact in float32.
        least = -F.max_pool2d(-labels.view(N, 1, H, W).float(), 3, stride=1, padding=1)
        joined = places.scatter_reduce(1, labels, torch.where(bright, least.flatten(1).long(), dark), "amin")
        for _ in range(dark.bit_length()):  # each part of a chain goes to its end, twice as far every time
            joined = joined.gather(1, joined)
        labels = joined.gather(1, labels)
    return labels
