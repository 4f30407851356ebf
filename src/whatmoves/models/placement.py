"""Spatial transformer: paste a small picture into a frame at a pose, or crop it from there; and what replaces it.

After Jaderberg et al., Spatial Transformer Networks, 2015 (eq. 1 for the grid, eq. 5 for bilinear sampling). Unlike the
original's six numbers, a pose means something. It is `[…, P]`: y, x, then log-scale and angle where a model has them.

    y, x        centre of the picture; −1 and 1 are the centres of the frame's first and last row or column
    log-scale   natural logarithm of frame pixels per picture pixel; 0 is life size
    angle       radians, clockwise as seen (rows count downwards)

At log-scale and angle 0 pasting is the transpose of cropping, and at whole pixels both copy exactly.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from whatmoves.data.clips import ClipShape
from whatmoves.models.blocks import FrameDecoder, Widths


def crop(frames: Tensor, poses: Tensor, window_px: int, rotation: bool = False) -> Tensor:
    """Windows `[N, C, window_px, window_px]` of `frames` `[N, C, H, W]` around `poses` `[N, P]`; black outside.

    P is 2; 3 with a log-scale, or with an angle where `rotation`; or 4.
    """
    height, width = frames.shape[-2:]
    y, x, scale, angle = _parts(poses, rotation)
    down, right = _from_centre(window_px, window_px, frames)
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    rows = (y + 1) * ((height - 1) / 2) + cosine * down + sine * right
    columns = (x + 1) * ((width - 1) / 2) + cosine * right - sine * down
    return _bilinear(frames, rows, columns)


def paste(pictures: Tensor, poses: Tensor, height: int, width: int, rotation: bool = False) -> Tensor:
    """Black frames `[N, C, height, width]` with `pictures` `[N, C, d, d]` at `poses` `[N, P]`; undoes `crop`.

    What leaves the frame is cut off.
    """
    size = pictures.shape[-1]
    y, x, scale, angle = _parts(poses, rotation)
    down, right = _from_centre(height, width, pictures)
    down, right = down - y * ((height - 1) / 2), right - x * ((width - 1) / 2)  # now from the pose's centre
    cosine, sine = angle.cos() / scale, angle.sin() / scale
    rows = (size - 1) / 2 + cosine * down - sine * right
    columns = (size - 1) / 2 + cosine * right + sine * down
    return _bilinear(pictures, rows, columns)


def _parts(poses: Tensor, rotation: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """y, x, scale and angle of poses `[N, P]`, each `[N, 1, 1]`."""
    y, x, *others = (part[:, None, None] for part in poses.float().unbind(1))
    angle = others.pop() if rotation else torch.zeros_like(y)
    scale = others.pop().exp() if others else torch.ones_like(y)
    return y, x, scale, angle


def _from_centre(height: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Rows `[height, 1]` and columns `[1, width]` of pixels, counted from the middle of their picture."""
    rows = torch.arange(height, device=like.device, dtype=torch.float32) - (height - 1) / 2
    columns = torch.arange(width, device=like.device, dtype=torch.float32) - (width - 1) / 2
    return rows[:, None], columns[None, :]


def _bilinear(source: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Values of `source` `[N, C, h, w]` at places `[N, H, W]` in pixels, black outside → `[N, C, H, W]`.

    In float32 also under autocast: half precision would move a picture by a visible part of a pixel.
    """
    height, width = source.shape[-2:]
    grid = torch.stack((columns * (2 / (width - 1)) - 1, rows * (2 / (height - 1)) - 1), dim=-1)
    with torch.autocast(source.device.type, enabled=False):
        return F.grid_sample(source.float(), grid, padding_mode="zeros", align_corners=True)


class BroadcastDecoder(nn.Module):
    """Codes with poses `[N, inputs]` → logits of frames `[N, C, H, W]`, drawn at their places, not moved there.

    After Watters et al., Spatial Broadcast Decoder, 2019: the code stands at every cell of a grid beside the cell's
    coordinates, and convolutions draw. Here the grid is the coarse one that a `FrameDecoder` begins with.
    """

    coordinates: Tensor

    def __init__(self, shape: ClipShape, widths: Widths, inputs: int, initial_intensity: float) -> None:
        super().__init__()
        whole = FrameDecoder(shape, widths, inputs, initial_intensity)
        _, rows, columns = whole.grid
        self.convolutions = nn.Sequential(
            nn.Conv2d(inputs + 2, widths[-1], 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(widths[-1], widths[-1], 3, padding=1),
            nn.LeakyReLU(0.2),
            whole.convolutions,
        )
        y, x = torch.linspace(-1, 1, rows), torch.linspace(-1, 1, columns)
        self.register_buffer("coordinates", torch.stack(torch.meshgrid(y, x, indexing="ij")), persistent=False)

    def forward(self, codes: Tensor) -> Tensor:
        tiled = codes[:, :, None, None].expand(-1, -1, *self.coordinates.shape[1:])
        places = self.coordinates.expand(len(codes), -1, -1, -1)
        logits: Tensor = self.convolutions(torch.cat((tiled, places), dim=1))
        return logits
