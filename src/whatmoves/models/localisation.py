"""Where K slots are in every frame of a clip: attention over a feature map, shared out among the slots.

    frames [B,T,C,H,W] → feature map [B·T,F,H/2,W/2] → saliency over its cells [B,T,N], sum 1
    → K centres followed through time, without gradient [B,T,K,2] → each slot's share [B,K,T,N]
    → its mean place (soft arg max) and features → pose [B,K,T,P]

One slot owns all. Several are told apart as in soft k-means, begun at the frame where the saliency is most spread out
and followed from there into both directions at a steady velocity: that is what carries identities through a crossing.
"""

import itertools

import torch
from torch import Tensor, nn

from whatmoves.data.clips import ClipShape
from whatmoves.models.blocks import Widths

VELOCITY_GAIN = 0.5  # part of a surprise that is put down to a changed velocity
EXCITEMENT = 20.0  # brings the untrained evidence of a bright object near 1
LEAST_EVIDENCE = 1e-6  # of a black cell: in a black frame, the place is its middle
SEED_ROUNDS = 5  # of k-means at the first frame


class Localiser(nn.Module):
    """Frames `[B, T, C, H, W]` → poses `[B, K, T, pose]`: y and x in −1 … 1, the rest read from features."""

    cells: Tensor

    def __init__(self, shape: ClipShape, widths: Widths, slots: int, pose: int) -> None:
        super().__init__()
        self.slots = slots
        # Without biases, nothing excites the features on black, nor at its rim.
        layers: list[nn.Module] = [nn.Conv2d(shape.channels, widths[0], 5, stride=2, padding=2, bias=False), nn.ReLU()]
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.ReLU(inplace=True)]
        self.features = nn.Sequential(*layers)
        self.attention = nn.Conv2d(widths[-1], 1, 1, bias=False)
        # Positive: untrained, it looks at whatever excites the features, and on black that is the object.
        nn.init.constant_(self.attention.weight, EXCITEMENT / widths[-1])
        self.extra = nn.Linear(widths[-1], pose - 2) if pose > 2 else None
        rows, columns = (torch.arange(0, size, 2) * (2 / (size - 1)) - 1 for size in (shape.height, shape.width))
        self.register_buffer("cells", torch.cartesian_prod(rows, columns), persistent=False)  # [N, 2]: y, x

    def forward(self, video: Tensor) -> Tensor:
        """In float32 also under autocast: in 16 bits places lie on a grid of an eighth of a pixel."""
        with torch.autocast(video.device.type, enabled=False):
            return self._poses(video.float())

    def _poses(self, video: Tensor) -> Tensor:
        maps = self.features(video.flatten(0, 1))
        # Squares, not a soft maximum: that jumps from cell to cell, this mean place moves with what it sees.
        evidence = self.attention(maps).flatten(1).square() + LEAST_EVIDENCE
        saliency = (evidence / evidence.sum(1, keepdim=True)).unflatten(0, video.shape[:2])  # [B, T, N]
        shares = saliency[:, None]
        if self.slots > 1:
            shares = shares * ownership(saliency.detach(), self.cells, self.slots)
            shares = shares / shares.sum(-1, keepdim=True).clamp_min(1e-8)
        places: Tensor = shares @ self.cells  # [B, K, T, 2]
        if self.extra is None:
            return places
        maps = maps.flatten(2).unflatten(0, video.shape[:2])  # [B, T, F, N]
        seen = torch.einsum("bktn,btfn->bktf", shares, maps)
        return torch.cat((places, self.extra(seen)), dim=-1)


@torch.no_grad()
def ownership(saliency: Tensor, cells: Tensor, slots: int) -> Tensor:
    """Share of each slot in each cell `[B, K, T, N]`, sum 1 over slots, for `saliency` `[B, T, N]` of `cells` `[N, 2]`.

    Slots are ordered by their x at the first frame, from the left: an order that belongs to the clip, not to the slots.
    """
    B, T, _ = saliency.shape
    spread = saliency @ cells.square().sum(1) - (saliency @ cells).square().sum(-1)
    anchor = spread.argmax(1)  # [B]
    clips = torch.arange(B, device=saliency.device)
    seeds = _seeds(saliency[clips, anchor], cells, slots)
    centres = torch.zeros(B, T, slots, 2, device=saliency.device)
    for direction in (1, -1):
        place, velocity = seeds, torch.zeros_like(seeds)
        for step in range(T):
            frame = anchor + direction * step
            inside = (frame >= 0) & (frame < T)
            frame = frame.clamp(0, T - 1)
            expected = place + velocity
            surprise = _means(saliency[clips, frame], _shares(expected, cells), cells) - expected
            if step == 1:  # the first move tells the velocity
                velocity = surprise
            elif step > 1:
                velocity = velocity + VELOCITY_GAIN * surprise
            place = expected + surprise
            # Outside the clip nothing is written. Picking rows by a mask would make a GPU wait for their number.
            centres[clips, frame] = torch.where(inside[:, None, None], place, centres[clips, frame])
    order = centres[:, 0, :, 1].argsort(1)  # [B, K]
    centres = centres.gather(2, order[:, None, :, None].expand(-1, T, -1, 2))
    return _shares(centres, cells).transpose(1, 2)


def _shares(centres: Tensor, cells: Tensor) -> Tensor:
    """Soft shares of cells `[N, 2]` among centres `[…, K, 2]`: `[…, K, N]`."""
    squared = (centres[..., None, :] - cells).square().sum(-1)
    return (-squared / (2 * 0.15**2)).softmax(-2)


def _means(saliency: Tensor, shares: Tensor, cells: Tensor) -> Tensor:
    """Centre `[B, K, 2]` of what each slot owns of `saliency` `[B, N]`."""
    owned = shares * saliency[:, None] + 1e-12
    return (owned @ cells) / owned.sum(-1, keepdim=True)


def _seeds(saliency: Tensor, cells: Tensor, slots: int) -> Tensor:
    """K centres `[B, K, 2]` in one frame `[B, N]`: salient cells far from each other, then rounds of k-means."""
    distance = (cells - (saliency @ cells)[:, None]).square().sum(-1)  # [B, N], to the mean place
    chosen: list[Tensor] = []
    for _ in range(slots):
        chosen.append(cells[(saliency * distance).argmax(1)])
        from_chosen = (cells - torch.stack(chosen, 1)[:, :, None]).square().sum(-1)  # [B, chosen, N]
        distance = from_chosen.amin(1)
    centres = torch.stack(chosen, dim=1)
    for _ in range(SEED_ROUNDS):
        centres = _means(saliency, _shares(centres, cells), cells)
    return centres
