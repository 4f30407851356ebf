"""The networks of the judges. All look at single frames; what they say is pooled over a clip elsewhere.

    frames [N,1,h,w] → digit scores [N,classes]             DigitNet: deepest maximum; AttentionNet: weighted mean
    frames [N,1,h,w] → a bump of height 1 at every centre   PlaceNet, on a grid of every second pixel

None of them knows how many digits a frame holds.
"""

import torch
from torch import Tensor, nn

CELL_PX = 2  # pixels of a judged frame per cell of the place map
BUMP_CELLS = 1.25  # standard deviation of a bump on that map


class DigitNet(nn.Module):
    """Digit scores by the best match anywhere in the frame: 3×3 convolutions, batch norm, global maximum."""

    def __init__(self, classes: int, width: int = 16) -> None:
        super().__init__()

        def stage(inputs: int, outputs: int, kernel: int) -> list[nn.Module]:
            return [
                nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            ]  # fmt: skip

        self.body = nn.Sequential(
            *stage(1, width, 5), nn.MaxPool2d(2), *stage(width, 2 * width, 3), nn.MaxPool2d(2),
            *stage(2 * width, 4 * width, 3), *stage(4 * width, 4 * width, 3),
        )  # fmt: skip
        self.head = nn.Linear(4 * width, classes)

    def forward(self, frames: Tensor) -> Tensor:
        scores: Tensor = self.head(self.body(frames).amax((2, 3)))
        return scores


class AttentionNet(nn.Module):
    """Digit scores by where it looks: 7×7 windows, strided convolutions, a mean weighted by learned attention."""

    def __init__(self, classes: int, width: int = 24) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.SiLU(),
            nn.Conv2d(width, 2 * width, 5, 2, 2, bias=False), nn.BatchNorm2d(2 * width), nn.SiLU(),
            nn.Conv2d(2 * width, 2 * width, 3, 1, 1, bias=False), nn.BatchNorm2d(2 * width), nn.SiLU(),
        )  # fmt: skip
        self.head = nn.Conv2d(2 * width, 2 * width, 1)
        self.attention = nn.Conv2d(2 * width, 1, 1)
        self.classes = nn.Linear(2 * width, classes)

    def forward(self, frames: Tensor) -> Tensor:
        features = self.body(frames)
        weights = self.attention(features).flatten(2).softmax(2)  # [N, 1, cells]
        seen = (self.head(features).flatten(2) * weights).sum(2)
        scores: Tensor = self.classes(nn.functional.silu(seen))
        return scores


class PlaceNet(nn.Module):
    """Where digits are: a map `[N, h/2, w/2]` with a Gaussian bump of height 1 at each digit's centre."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 5, CELL_PX, 2), nn.SiLU(),
            nn.Conv2d(width, width, 3, 1, 1), nn.SiLU(),
            nn.Conv2d(width, width, 3, 1, 2, dilation=2), nn.SiLU(),
            nn.Conv2d(width, 1, 3, 1, 1),
        )  # fmt: skip

    def forward(self, frames: Tensor) -> Tensor:
        place_map: Tensor = self.body(frames)[:, 0]
        return place_map


def bumps(centres: Tensor, height: int, width: int) -> Tensor:
    """The map `[N, height, width]` that `PlaceNet` should give for `centres` `[N, O, 2]` (y, x), in cells."""
    down = torch.arange(height, device=centres.device)[:, None] - centres[..., 0, None, None]
    right = torch.arange(width, device=centres.device) - centres[..., 1, None, None]
    return torch.exp(-(down.square() + right.square()) / (2 * BUMP_CELLS**2)).sum(1)


def peaks(place_map: Tensor, count: int) -> Tensor:
    """The `count` centres `[N, count, 2]` (y, x) in cells of a map `[N, h, w]`, strongest first.

    A peak between cells is found by the parabola through the logarithm of its neighbours, which is exact for a
    Gaussian. Each found bump is taken off the map before the next is sought, so two digits that overlap stay two.
    """
    N, h, w = place_map.shape
    rest = place_map
    rows = torch.arange(N, device=place_map.device)
    found = []
    for _ in range(count):
        flat = rest.flatten(1).argmax(1)
        y, x = (flat // w).clamp(1, h - 2), (flat % w).clamp(1, w - 2)
        logs = rest.clamp_min(1e-3).log()
        centre = logs[rows, y, x]
        vertical = _vertex(logs[rows, y - 1, x], centre, logs[rows, y + 1, x])
        horizontal = _vertex(logs[rows, y, x - 1], centre, logs[rows, y, x + 1])
        place = torch.stack([y + vertical, x + horizontal], dim=1)
        found.append(place)
        rest = rest - bumps(place[:, None], h, w)
    return torch.stack(found, dim=1)


def _vertex(before: Tensor, centre: Tensor, after: Tensor) -> Tensor:
    """Where a parabola through three neighbours peaks, relative to the middle one, −1 … 1."""
    curvature = (2 * centre - before - after).clamp_min(1e-6)
    return (0.5 * (after - before) / curvature).clamp(-1, 1)
