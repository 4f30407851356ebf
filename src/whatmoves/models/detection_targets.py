"""Where objects are, as maps: a cell of a coarse grid is 1 where an object's centre lies in it, else 0.

Two sources. `from_centres` takes the generator's own positions. `from_contours` looks for bright shapes in the frames,
as the video JEPA's original does: it asks nothing of the data, but two digits that touch become one shape, and a digit
with a loose stroke two. Two objects in one cell make one positive either way.
"""

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

IN_FRAME = np.array([np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))])
"""What touches what: all eight neighbours in a frame, nothing between frames."""


def from_centres(centres_px: Tensor, height: int, width: int, grid: int) -> Tensor:
    """Maps `[B, T, grid, grid]`, float 0 or 1, of `centres_px` `[B, T, O, 2]` (y, x) in pixels from the top left edge.

    A centre outside the frame falls into the border cell next to it.
    """
    B, T = centres_px.shape[:2]
    size = centres_px.new_tensor([height, width])
    cells = (centres_px * grid / size).floor().long().clamp(0, grid - 1)
    index = (cells[..., 0] * grid + cells[..., 1]).reshape(B * T, -1)
    maps = torch.zeros(B * T, grid * grid, device=centres_px.device)
    return maps.scatter_(1, index, 1.0).reshape(B, T, grid, grid)


def from_contours(video: Tensor, grid: int) -> Tensor:
    """Maps `[B, T, grid, grid]`, float 0 or 1, of `video` `[B, T, C, H, W]`, on its device.

    A frame's bright pixels are those above the middle between its least and greatest (mean over channels). Each
    connected shape marks the cell of its bounding box's centre. A frame of one grey has none. Computed on the CPU.
    """
    B, T, _, H, W = video.shape
    grey = video.mean(2).reshape(B * T, H, W).cpu().numpy()
    middle = (grey.min((1, 2), keepdims=True) + grey.max((1, 2), keepdims=True)) / 2
    labels, _ = ndimage.label(grey > middle, structure=IN_FRAME)
    boxes = ndimage.find_objects(labels)
    maps = np.zeros((B * T, grid, grid), np.float32)
    for frame, rows, columns in boxes:
        # In whole numbers: half of start + stop is the centre, and stop ≤ side keeps the cell inside.
        y, x = (rows.start + rows.stop) * grid // (2 * H), (columns.start + columns.stop) * grid // (2 * W)
        maps[frame.start, y, x] = 1.0
    return torch.from_numpy(maps).reshape(B, T, grid, grid).to(video.device)
