"""The networks of the judges. All look at single frames; what they say is pooled over a clip elsewhere.

    frames [N,1,h,w] → digit scores [N,classes]             DigitNet: maximum over places; AttentionNet: weighted mean;
                                                            of one class: the logarithm of a digit's size
    frames [N,1,h,w] → a bump of height 1 at every centre   PlaceNet, on a grid of every second pixel

The scores of a frame are pooled from scores of its places, `[N, classes, h/4, w/4]`, class by class: two digits in a
frame never mix into a third, and training can ask a place what is there. No network knows how many digits a frame
holds.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

CELL_PX = 2  # pixels of a judged frame per cell of the place map
BUMP_CELLS = 1.0  # standard deviation of a bump on that map
FIT_ROUNDS = 3  # how often every found bump is moved; a Gaussian alone on the map is exact after one
READ_PX = 4  # pixels of a judged frame per place that is read by a digit judge


class Read(NamedTuple):
    """What a digit judge reads: scores of frames `[N, classes]`, and of their places `[N, classes, h/4, w/4]`."""

    frames: Tensor
    places: Tensor


class DigitNet(nn.Module):
    """Digit scores by the best match anywhere in the frame: 3×3 convolutions, batch norm, global maximum."""

    first_place_px = 1.0  # centre of place 0, which is pooled from strides to pixels 0 and 2

    def __init__(self, classes: int, width: int = 16) -> None:
        super().__init__()

        def stage(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
            convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
            return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]

        self.body = nn.Sequential(
            *stage(1, width, 5, 2), *stage(width, 2 * width), nn.MaxPool2d(2),
            *stage(2 * width, 4 * width), *stage(4 * width, 4 * width),
        )  # fmt: skip
        self.head = nn.Conv2d(4 * width, classes, 1)

    def forward(self, frames: Tensor) -> Read:
        places = self.head(self.body(frames))
        return Read(places.amax((2, 3)), places)


class AttentionNet(nn.Module):
    """Digit scores by where it looks: 7×7 windows, strided convolutions, a mean weighted by attention to each class."""

    first_place_px = 0.0  # centre of place 0: two strides from the first pixel

    def __init__(self, classes: int, width: int = 24) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.SiLU(),
            nn.Conv2d(width, 2 * width, 5, 2, 2, bias=False), nn.BatchNorm2d(2 * width), nn.SiLU(),
            nn.Conv2d(2 * width, 2 * width, 3, 1, 1, bias=False), nn.BatchNorm2d(2 * width), nn.SiLU(),
        )  # fmt: skip
        self.head = nn.Conv2d(2 * width, classes, 1)
        self.attention = nn.Conv2d(2 * width, classes, 1)

    def forward(self, frames: Tensor) -> Read:
        features = self.body(frames)
        places = self.head(features)
        weights = self.attention(features).flatten(2).softmax(2)  # [N, classes, places]
        return Read((places.flatten(2) * weights).sum(2), places)


def size_of(scores: Tensor) -> Tensor:
    """Sizes `[…]` that a judge of sizes says by scores `[…, 1]`: their logarithm."""
    return scores[..., 0].exp()


def at_centres(places: Tensor, centres: Tensor, first_place_px: float) -> Tensor:
    """Scores `[N, O, classes]` of the places nearest to `centres` `[N, O, 2]` (y, x), in pixels of the frame."""
    nearest = ((centres - first_place_px) / READ_PX).round().long()
    y, x = nearest[..., 0].clamp(0, places.shape[2] - 1), nearest[..., 1].clamp(0, places.shape[3] - 1)
    return places[torch.arange(len(places), device=places.device)[:, None], :, y, x]


class PlaceNet(nn.Module):
    """Where digits are: a map `[N, h/2, w/2]` with a Gaussian bump of height 1 at each digit's centre.

    A cell sees 29 pixels, more than two digits that touch.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 5, CELL_PX, 2), nn.SiLU(),
            nn.Conv2d(width, width, 3, 1, 1), nn.SiLU(),
            nn.Conv2d(width, width, 3, 1, 2, dilation=2), nn.SiLU(),
            nn.Conv2d(width, width, 3, 1, 2, dilation=2), nn.SiLU(),
            nn.Conv2d(width, 1, 3, 1, 1),
        )  # fmt: skip

    def forward(self, frames: Tensor) -> Tensor:
        place_map: Tensor = self.body(frames)[:, 0]
        return place_map


def bumps(centres: Tensor, height: int, width: int) -> Tensor:
    """The map `[N, height, width]` that `PlaceNet` should give for `centres` `[N, O, 2]` (y, x), in cells."""
    down, right = (
        torch.exp(
            -(torch.arange(size, device=centres.device) - centres[..., axis, None]).square() / (2 * BUMP_CELLS**2)
        )
        for axis, size in enumerate((height, width))
    )  # [N, O, height], [N, O, width]
    return down.mT @ right


def peaks(place_map: Tensor, count: int) -> Tensor:
    """The `count` centres `[N, count, 2]` (y, x) in cells of a map `[N, h, w]`, strongest first.

    Each begins at the highest cell of what the others leave of the map. Then all are moved in turns to where their
    bump fits best what the others leave, so two digits that overlap stay two and do not draw each other nearer.
    """
    N, h, w = place_map.shape
    found = place_map.new_zeros(N, 0, 2)
    for _ in range(count):
        highest = (place_map - bumps(found, h, w)).flatten(1).argmax(1)
        begun = torch.stack([highest // w, highest % w], dim=1)[:, None].to(place_map.dtype)
        found = torch.cat([found, begun], dim=1)
        for _ in range(FIT_ROUNDS):
            for k in range(found.shape[1]):
                others = [i for i in range(found.shape[1]) if i != k]
                found[:, k] += _shift(place_map - bumps(found[:, others], h, w), found[:, k])
    return found


def _shift(rest: Tensor, centre: Tensor) -> Tensor:
    """How far `[N, 2]` the bump of `rest` `[N, h, w]` lies from `centre` `[N, 2]`, at most a cell along each axis.

    The mean place weighted by `rest` times a bump at `centre` is half way to a bump in `rest`: the product of two
    Gaussians of one width. An empty map gives 0.
    """
    h, w = rest.shape[1:]
    weight = bumps(centre[:, None], h, w) * rest.clamp_min(0)
    total = weight.sum((1, 2)).clamp_min(1e-6)
    down = (weight.sum(2) * (torch.arange(h, device=rest.device) - centre[:, :1])).sum(1) / total
    right = (weight.sum(1) * (torch.arange(w, device=rest.device) - centre[:, 1:])).sum(1) / total
    return 2 * torch.stack([down, right], dim=1).clamp(-0.5, 0.5)
