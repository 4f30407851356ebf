"""What judges learn from: frames drawn from the training digits, deformed, blurred and noisy as reconstructions are.

No digit of the validation or test pool is ever drawn. Every frame is a new combination of digit, shape and place.

Random numbers are made on the host, so that every device gets the same, and sent ahead: the host never reads what is
on the device, and waits for nothing.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from whatmoves.data.digits import load_bank
from whatmoves.data.render import place

JUDGED_DIGIT_PX = 14  # frames are shrunk by a whole factor until digits are about this large
TILT = 0.20  # largest rotation, radians
STRETCH = 0.12  # largest change of each side, and of slant
BLUR_PX = 1.4  # largest standard deviation, in pixels of a judged frame
NOISE = 0.08  # largest standard deviation, of a white level of 1
FAINTEST = 0.5  # least share of the ink's intensity
BLUR_GROUPS = 4  # parts of a batch that share one blur


class Drawn(NamedTuple):
    """Judged frames `[N, 1, h, w]` with their classes `[N, O]`, centres `[N, O, 2]` (y, x) in judged pixels, and sizes
    `[N, O]`: sides as those of a square of the same area, beside `digit_px`."""

    frames: Tensor
    classes: Tensor
    centres: Tensor
    sizes: Tensor


class Geometry(NamedTuple):
    """Sizes of a data set's frames and digits, pixels, and how many digits a frame holds."""

    image_px: int
    digit_px: int
    digits: int

    @property
    def shrink(self) -> int:
        """The whole factor between a frame and a judged frame."""
        return max(1, self.digit_px // JUDGED_DIGIT_PX)

    def judged(self, centres: Tensor) -> Tensor:
        """Frame pixels as pixels of a judged frame; a shrunken pixel's centre lies between those it was made of."""
        return (centres - (self.shrink - 1) / 2) / self.shrink

    def framed(self, centres: Tensor) -> Tensor:
        """The inverse of `judged`."""
        return centres * self.shrink + (self.shrink - 1) / 2


class Pencil:
    """Draws training frames of a moving-digits data set on a device; the same seed draws the same frames."""

    def __init__(self, config: Any, device: torch.device, seed: int) -> None:
        bank = load_bank(config.digit_bank, config.digit_px, config.mnist_folder, config.download)
        pool = bank.pools["train"]
        self.geometry, self.size = geometry_of(config), config.size
        self.device = device
        self.images = torch.from_numpy(bank.images[pool.start : pool.stop].copy()).to(device)
        self.labels = torch.from_numpy(bank.labels[pool.start : pool.stop].copy()).to(device)
        self.generator = torch.Generator().manual_seed(seed)

    def draw(self, count: int) -> Drawn:
        """`count` frames."""
        image_px, digit_px, digits = self.geometry
        chosen = self._sent(torch.randint(len(self.images), (count, digits), generator=self.generator))
        smallest, largest = self.size
        margin = math.ceil(max(0.0, largest - 1) * digit_px / 2)  # for what a larger digit takes around its square
        images = functional.pad(self.images[chosen].float().div_(255), [margin] * 4)
        scale = torch.full((count, digits), smallest, device=self.device)
        if smallest < largest:
            scale = smallest + self._uniform(count, digits) * (largest - smallest)
        images, sizes = self._deformed(images, scale)
        sides = (digit_px * scale)[..., None, None]
        corners = self._uniform(count, digits, 1, 2) * (image_px - sides) + (sides - digit_px) / 2
        frames = shrunk(place(images, corners - margin, image_px)[:, 0], self.geometry.shrink)
        centres = self.geometry.judged(corners[:, :, 0] + (digit_px - 1) / 2)
        return Drawn(self._spoilt(frames), self.labels[chosen], centres, sizes)

    def _sent(self, numbers: Tensor) -> Tensor:
        return numbers.to(self.device, non_blocking=True)

    def _uniform(self, *size: int) -> Tensor:
        """Numbers in [0, 1) on the device."""
        return self._sent(torch.rand(*size, generator=self.generator))

    def _deformed(self, images: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        """Digits `[N, O, d, d]` in `sizes` `[N, O]`, turned, stretched and slanted about their own centre, and
        what sizes come of it."""
        flat = images.flatten(0, 1)[:, None]
        angle = (2 * self._uniform(len(flat)) - 1) * TILT
        scale_y, scale_x, slant = (1 + (2 * self._uniform(3, len(flat)) - 1) * STRETCH).unbind()
        sine, cosine, zero = angle.sin(), angle.cos(), torch.zeros_like(angle)
        down = torch.stack([cosine * scale_x, (slant - 1) - sine * scale_x, zero], dim=1)
        across = torch.stack([sine * scale_y, cosine * scale_y, zero], dim=1)
        back = torch.stack([down, across], dim=1) / sizes.reshape(-1, 1, 1)  # from places in the frame to the picture's
        grid = functional.affine_grid(back, list(flat.shape), align_corners=False)
        drawn = functional.grid_sample(flat, grid, align_corners=False)
        return drawn.reshape(images.shape), (
            back[:, 0, 0] * back[:, 1, 1] - back[:, 0, 1] * back[:, 1, 0]
        ).rsqrt().reshape(sizes.shape)

    def _spoilt(self, frames: Tensor) -> Tensor:
        """The frames fainter, blurred and noisy, each by its own amount (blur: by a quarter of the batch)."""
        faint = FAINTEST + (1 - FAINTEST) * self._uniform(len(frames), 1, 1, 1)
        parts = (frames * faint).chunk(BLUR_GROUPS)
        widths = (torch.rand(BLUR_GROUPS, generator=self.generator) * BLUR_PX).tolist()
        softened = torch.cat([_blurred(part, width) for part, width in zip(parts, widths, strict=False)])
        level = self._uniform(len(frames), 1, 1, 1) * NOISE
        noise = self._sent(torch.randn(frames.shape, generator=self.generator))
        return (softened + level * noise).clamp(0, 1)


def geometry_of(config: Any) -> Geometry:
    """The sizes in the settings of a moving-digits data set."""
    return Geometry(config.image_px, config.digit_px, config.digits)


def shrunk(frames: Tensor, factor: int) -> Tensor:
    """Frames `[N, 1, H, W]` averaged over squares of `factor` pixels."""
    return frames if factor == 1 else functional.avg_pool2d(frames, factor)


def _blurred(frames: Tensor, width_px: float) -> Tensor:
    offsets = torch.arange(-3, 4, device=frames.device, dtype=frames.dtype)
    kernel = torch.exp(-0.5 * (offsets / max(width_px, 0.05)) ** 2)
    kernel = kernel / kernel.sum()
    down = functional.conv2d(frames, kernel.reshape(1, 1, -1, 1), padding=(3, 0))
    return functional.conv2d(down, kernel.reshape(1, 1, 1, -1), padding=(0, 3))
