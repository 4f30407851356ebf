"""The Gaussian of a block's codes: it becomes theirs, new codes follow it, and before any it is the prior."""

import torch

from whatmoves.models.aggregate import AggregatePosterior
from whatmoves.models.blocks import standard_normal

MIX = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.2, 0.0], [0.0, 0.0, 0.0]])  # two correlated dimensions, and a dead one
SHIFT = torch.tensor([1.0, -2.0, 3.0])


def test_it_becomes_the_gaussian_of_the_codes_and_new_codes_follow_it() -> None:
    torch.manual_seed(0)
    aggregate = AggregatePosterior(3)
    for batch in range(1500):
        uneven = 8 + 24 * (batch % 2)
        aggregate.update(torch.randn(uneven, 3) @ MIX.T + SHIFT)
    drawn = aggregate.draw(20_000, torch.Generator().manual_seed(0))
    for mean, covariance in ((aggregate.mean, aggregate.covariance), (drawn.mean(0), torch.cov(drawn.T))):
        torch.testing.assert_close(mean, SHIFT, atol=0.1, rtol=0)
        torch.testing.assert_close(covariance, MIX @ MIX.T, atol=0.1, rtol=0)


def test_the_spread_between_batches_counts_as_much_as_that_within() -> None:
    aggregate = AggregatePosterior(1)
    for batch in range(3000):
        aggregate.update(torch.full((4, 1), 2.0 * (-1) ** batch))  # 2, −2, 2, …: no spread within, variance 4
    torch.testing.assert_close(aggregate.covariance, torch.tensor([[4.0]]), atol=0.05, rtol=0)


def test_before_any_codes_it_is_the_prior() -> None:
    first, second = (torch.Generator().manual_seed(3) for _ in range(2))
    aggregate = AggregatePosterior(4)
    prior = standard_normal(5, 4, aggregate.mean, second)
    torch.testing.assert_close(aggregate.draw(5, first), prior, atol=1e-5, rtol=0)
