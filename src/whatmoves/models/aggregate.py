"""The Gaussian that a block's codes follow once trained: what to draw new codes from where they do not fill the prior.

After Ghosh et al., From Variational to Deterministic Autoencoders, 2020, section 4: a density fitted to the codes of
training clips, which changes nothing of the training. Theirs is fitted afterwards and may be a mixture; this is one
Gaussian, carried along while training as a moving average, so that a checkpoint holds it.
"""

import torch
from torch import Generator, Tensor, nn

from whatmoves.models.blocks import standard_normal

MOMENTUM = 0.01  # share of a batch in the moving average: it reaches back some 100 batches
JITTER = 1e-6  # added to variances, for codes with a dimension that never varies


class AggregatePosterior(nn.Module):
    """Moving mean `[D]` and covariance `[D, D]` of codes; before any, those of the prior N(0, I)."""

    mean: Tensor
    covariance: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("covariance", torch.eye(width))

    @torch.no_grad()
    def update(self, codes: Tensor) -> None:
        """Take in codes drawn from the posteriors of one batch, `[N, D]`."""
        batch_mean = codes.float().mean(0)
        centred, step = codes.float() - batch_mean, batch_mean - self.mean
        within = centred.T @ centred / len(codes)
        between = (1 - MOMENTUM) * torch.outer(step, step)
        self.covariance += MOMENTUM * (within + between - self.covariance)
        self.mean += MOMENTUM * step

    def draw(self, count: int, generator: Generator | None) -> Tensor:
        """New codes `[count, D]`."""
        width = len(self.mean)
        jitter = JITTER * torch.eye(width, dtype=torch.float64, device=self.mean.device)
        factor = torch.linalg.cholesky(self.covariance.double() + jitter).float()
        codes: Tensor = self.mean + standard_normal(count, width, self.mean, generator) @ factor.T
        return codes
