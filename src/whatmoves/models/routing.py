"""Capsules: the squash, and two ways in which capsules of one layer vote for those of the next.

N frames, I capsules below, J above, D numbers in a vote. A coupling says how much of capsule i belongs to capsule j;
the couplings of one i sum to 1.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn

Routing = Literal["dynamic", "em"]

LEAST_SQUARE = 1e-16  # of a length; below it √ has no usable gradient
LEAST_VARIANCE = 1e-4  # of votes, so that a capsule with one voter does not claim certainty


def length(vectors: Tensor) -> Tensor:
    """Euclidean length over the last axis, kept; at a zero vector it is 1e-8 and its gradient 0, not NaN."""
    return vectors.square().sum(-1, keepdim=True).clamp_min(LEAST_SQUARE).sqrt()


def squash(vectors: Tensor) -> Tensor:
    """n² / (1 + n²) · s / n: direction kept, length n moved into [0, 1). Float32, finite gradient also at zero.

    Source: Sabour, Frosst and Hinton, Dynamic Routing Between Capsules, 2017, equation 1.
    """
    vectors = vectors.float()
    n = length(vectors)
    return vectors * (n / (1 + n.square()))


def dynamic_routing(votes: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
    """Routing by agreement: votes `[N, I, J, D]` → squashed poses `[N, J, D]` and couplings `[N, I, J]`.

    Source: Sabour et al. 2017, procedure 1.
    """
    agreement = votes.new_zeros(votes.shape[:3])
    couplings, poses = _agreed(agreement, votes)
    for _ in range(iterations - 1):
        agreement = agreement + (votes * poses[:, None]).sum(-1)
        couplings, poses = _agreed(agreement, votes)
    return poses, couplings


def _agreed(agreement: Tensor, votes: Tensor) -> tuple[Tensor, Tensor]:
    couplings = agreement.softmax(2)
    return couplings, squash((couplings.unsqueeze(-1) * votes).sum(1))


def em_routing(
    votes: Tensor, activations: Tensor, use_cost: Tensor, active_cost: Tensor, iterations: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Routing as a mixture of Gaussians: votes `[N, I, J, D]` of capsules with `activations` `[N, I]` in [0, 1], costs
    `use_cost` and `active_cost` `[J]` → mean poses `[N, J, D]`, activations `[N, J]`, couplings `[N, I, J]`.

    Source: Hinton, Sabour and Frosst, Matrix Capsules with EM Routing, 2018, procedure 1. Departures: the votes that a
    capsule gets count as a multiple of an equal share and costs as means over D, or thousands of voters would drive
    every activation to 0 or 1; the inverse temperature rises linearly to 1.
    """
    J = votes.shape[2]
    couplings = votes.new_full(votes.shape[:3], 1 / J)
    for iteration in range(1, iterations + 1):
        mass = couplings * activations[:, :, None]  # [N, I, J]
        total = mass.sum(1).clamp_min(1e-8)  # [N, J]
        weights = (mass / total[:, None]).unsqueeze(-1)
        poses = (weights * votes).sum(1)
        variance = (weights * (votes - poses[:, None]).square()).sum(1) + LEAST_VARIANCE
        share = total * J / total.sum(1, keepdim=True)
        cost = (use_cost + 0.5 * variance.log().mean(-1)) * share
        active = torch.sigmoid(iteration / iterations * (active_cost - cost))
        if iteration == iterations:
            break
        density = -0.5 * ((votes - poses[:, None]).square() / variance[:, None] + variance[:, None].log()).sum(-1)
        couplings = (active.clamp_min(1e-8).log()[:, None] + density).softmax(2)
    return poses, active, couplings


class RoutedCapsules(nn.Module):
    """Capsules `[N, H, W, K, D0]` → features `[N, J · D]`: J capsules that those of all places vote for.

    Each of the K kinds below votes with one matrix per capsule above, the same at every place; the place itself, −1 …
    1 from edge to edge, is added to the first two numbers of a vote (Hinton et al. 2018, "coordinate addition"), or
    a capsule could not tell where its part lies.
    """

    def __init__(self, kinds: int, dim: int, capsules: int, routed_dim: int, routing: Routing, iterations: int) -> None:
        super().__init__()
        self.routing, self.iterations = routing, iterations
        self.votes = nn.Parameter(torch.randn(kinds, capsules, dim, routed_dim) / math.sqrt(dim))
        if routing == "em":
            self.use_cost = nn.Parameter(torch.zeros(capsules))
            self.active_cost = nn.Parameter(torch.zeros(capsules))

    def forward(self, capsules: Tensor) -> Tensor:
        _, H, W, _, _ = capsules.shape
        votes = torch.einsum("nhwki,kjio->nhwkjo", capsules, self.votes)
        y = torch.linspace(-1, 1, H, device=votes.device)[:, None].expand(H, W)
        x = torch.linspace(-1, 1, W, device=votes.device)[None, :].expand(H, W)
        place = nn.functional.pad(torch.stack((y, x), dim=-1), (0, votes.shape[-1] - 2))  # [H, W, D]
        votes = (votes + place[:, :, None, None]).float().flatten(1, 3)  # [N, I, J, D]
        if self.routing == "dynamic":
            poses, _ = dynamic_routing(votes, self.iterations)
            return poses.flatten(1)
        activations = length(capsules).flatten(1)
        poses, active, _ = em_routing(votes, activations, self.use_cost, self.active_cost, self.iterations)
        return (poses * active.unsqueeze(-1)).flatten(1)
