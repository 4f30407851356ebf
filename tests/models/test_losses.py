"""The trio's losses against numbers worked out by hand, their limits and their gradients."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from whatmoves.models.losses.independence import squared_cross_correlation
from whatmoves.models.losses.kl import kl_between, kl_nats, kl_per_dimension, kl_with_free_bits
from whatmoves.models.losses.reconstruction import (
    bernoulli_nats,
    gaussian_nats,
    reconstruction_nats,
    squared_error,
    temporal_nats,
)
from whatmoves.models.losses.schedules import Ramp, cycled_ramp, cycled_settled, kl_ramp, kl_settled, teacher_forcing


def test_kl_of_mean_one_in_ten_dimensions_is_five_nats() -> None:
    mean, logvar = torch.ones(3, 10), torch.zeros(3, 10)  # ½ · 1² each, whatever the number of clips
    assert kl_nats(mean, logvar).item() == 5.0
    assert kl_nats(0 * mean, logvar).item() == 0.0


def test_kl_agrees_with_torch_distributions() -> None:
    torch.manual_seed(0)
    mean, logvar = torch.randn(4, 3, dtype=torch.double), torch.randn(4, 3, dtype=torch.double)
    posterior = torch.distributions.Normal(mean, (0.5 * logvar).exp())
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    expected = torch.distributions.kl_divergence(posterior, prior)
    torch.testing.assert_close(kl_per_dimension(mean, logvar), expected)
    torch.testing.assert_close(kl_nats(mean, logvar), expected.sum(1).mean())


def test_kl_between_two_gaussians() -> None:
    # N(1, 1) from N(3, 4): ½ (4/4 + 1/4 − 1 − log ¼) = ⅛ + log 2; the other way round ½ (4 + 4 − 1 − log 4).
    near, far = (torch.tensor(1.0), torch.tensor(0.0)), (torch.tensor(3.0), torch.tensor(math.log(4.0)))
    assert kl_between(*near, *far).item() == pytest.approx(1 / 8 + math.log(2))
    assert kl_between(*far, *near).item() == pytest.approx(3.5 - math.log(2))
    torch.manual_seed(0)
    mean, logvar, prior_mean, prior_logvar = torch.randn(4, 2, 5, 3, dtype=torch.double)
    posterior = torch.distributions.Normal(mean, (0.5 * logvar).exp())
    prior = torch.distributions.Normal(prior_mean, (0.5 * prior_logvar).exp())
    expected = torch.distributions.kl_divergence(posterior, prior)
    torch.testing.assert_close(kl_between(mean, logvar, prior_mean, prior_logvar), expected)
    assert torch.equal(kl_between(mean, logvar, 0 * mean, 0 * mean), kl_per_dimension(mean, logvar))
    assert kl_between(mean, logvar, mean, logvar).abs().max() == 0


def test_free_bits_act_on_the_mean_over_clips_of_each_dimension() -> None:
    # KL per clip and dimension: [[2, 0.02], [0, 0.02]]; means over clips: 1 and 0.02.
    mean = torch.tensor([[2.0, 0.2], [0.0, 0.2]], requires_grad=True)
    logvar = torch.zeros(2, 2)
    torch.testing.assert_close(kl_with_free_bits(mean, logvar, 0.0), kl_nats(mean, logvar))
    bounded = kl_with_free_bits(mean, logvar, 0.5)
    torch.testing.assert_close(bounded, torch.tensor(1.5))  # 1 + max(0.02, 0.5); clip by clip it would be 1.75
    (slope,) = torch.autograd.grad(bounded, mean)
    torch.testing.assert_close(slope, torch.tensor([[1.0, 0.0], [0.0, 0.0]]))  # the cheap dimension is free


def test_gaussian_nats_sum_over_pixels_and_average_over_clips() -> None:
    video = torch.zeros(2, 3, 1, 2, 2)
    drawn = video.clone()
    drawn[0] = 0.5  # 12 pixels off by ½: 3.0 in clip 0, nothing in clip 1, so 1.5 a clip
    assert squared_error(drawn, video).item() == 1.5
    assert gaussian_nats(drawn, video, 0.05).item() == pytest.approx(15.0)  # 1.5 / (2 · 0.05)
    assert gaussian_nats(video, video, 0.05).item() == 0.0


def test_bernoulli_nats_by_hand_and_at_extreme_logits() -> None:
    logits = torch.full((2, 3, 1, 2, 2), math.log(3.0))  # x̂ = ¾
    video = torch.full_like(logits, 0.25)
    one_pixel = -(0.25 * math.log(0.75) + 0.75 * math.log(0.25))
    assert bernoulli_nats(logits, video).item() == pytest.approx(12 * one_pixel)
    assert bernoulli_nats(torch.full((1, 1), 500.0), torch.zeros(1, 1)).item() == 500.0
    assert bernoulli_nats(torch.full((1, 1), -500.0), torch.zeros(1, 1)).item() == 0.0


def test_the_named_likelihood_is_used() -> None:
    logits, video = torch.zeros(1, 2, 1, 2, 2), torch.ones(1, 2, 1, 2, 2)
    assert reconstruction_nats("bce", logits, video, 0.05).item() == pytest.approx(8 * math.log(2))
    assert reconstruction_nats("mse", logits, video, 0.05).item() == pytest.approx(8 * 0.25 / 0.1)


def test_temporal_nats_see_changes_over_time_only() -> None:
    video = torch.rand(2, 4, 1, 3, 3)
    assert temporal_nats(video + 0.3, video, 0.5).item() == pytest.approx(0.0, abs=1e-9)
    still, stepping = torch.zeros(1, 3, 1, 1, 2), torch.arange(3.0).view(1, 3, 1, 1, 1).expand(1, 3, 1, 1, 2)
    assert temporal_nats(still, stepping, 0.5).item() == 4.0  # 2 changes × 2 pixels × 1², over 2 · ½


def test_cross_correlation_by_hand() -> None:
    first = torch.tensor([[1.0], [-1.0], [1.0], [-1.0]])
    second = torch.tensor([[2.0, 5.0], [-2.0, 5.0], [2.0, -5.0], [-2.0, -5.0]])  # correlations 1 and 0
    torch.testing.assert_close(squared_cross_correlation(first, second), torch.tensor(0.5))
    torch.testing.assert_close(squared_cross_correlation(first, second + 7), torch.tensor(0.5))
    assert squared_cross_correlation(first, torch.full((4, 2), 3.0)).item() == 0.0
    assert squared_cross_correlation(first[:1], second[:1]).item() == 0.0


def test_cross_correlation_of_independent_blocks_is_one_over_b_minus_one() -> None:
    torch.manual_seed(0)
    value = squared_cross_correlation(torch.randn(9, 300), torch.randn(9, 300)).item()
    assert value == pytest.approx(1 / 8, rel=0.05)  # 90,000 pairs: the band is six standard errors wide


@pytest.mark.parametrize(
    ("ramp", "progress", "expected"),
    [
        ("linear", 0.09, 0.0),
        ("linear", 0.1, 0.0),
        ("linear", 0.2, 0.25),
        ("linear", 0.5, 1.0),
        ("linear", 0.8, 1.0),
        ("cosine", 0.2, 0.5 * (1 - math.sqrt(0.5))),
        ("cosine", 0.3, 0.5),
        ("cosine", 0.8, 1.0),
        ("cyclical", 0.05, 0.0),
        ("cyclical", 0.3, 0.5),
        ("cyclical", 0.4999, 1.0),
        ("cyclical", 0.5001, 0.0),
        ("cyclical", 0.7, 0.5),
        ("linear", 1.0, 1.0),
        ("cosine", 1.0, 1.0),
        ("cyclical", 1.0, 1.0),
    ],
)
def test_kl_ramp_values(ramp: str, progress: float, expected: float) -> None:
    assert kl_ramp(ramp, progress, start=0.1, warmup=0.4) == pytest.approx(expected, abs=1e-6)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ramp", "start", "warmup"), [("linear", 0.1, 0.4), ("cosine", 0.3, 0.9), ("cyclical", 0.1, 0.3)]
)
def test_a_schedule_is_settled_from_where_it_says(ramp: Ramp, start: float, warmup: float) -> None:
    settled = kl_settled(ramp, start, warmup)
    assert [kl_ramp(ramp, float(at), start, warmup) for at in np.linspace(settled, 1, 50)] == pytest.approx([1] * 50)
    assert kl_ramp(ramp, settled - 0.05, start, warmup) < 1
    cycled = cycled_settled(4, 0.5)
    assert [cycled_ramp(float(at), 4, 0.5) for at in np.linspace(cycled + 1e-9, 1, 50)] == pytest.approx([1] * 50)
    assert cycled_ramp(cycled - 0.01, 4, 0.5) < 1


@pytest.mark.parametrize("ramp", ["linear", "cosine", "cyclical"])
def test_kl_ramp_without_warmup_steps_to_one(ramp: str) -> None:
    values = [kl_ramp(ramp, progress, start=0.5, warmup=0.0) for progress in (0.0, 0.49, 0.5, 1.0)]  # type: ignore[arg-type]
    assert values == [0.0, 0.0, 1.0, 1.0]


def test_full_beta_at_the_end_even_when_the_warmup_lasts_longer() -> None:
    assert kl_ramp("linear", 1.0, start=0.9, warmup=0.9) == 1.0


@pytest.mark.parametrize(
    ("cycles", "rise"),
    [(2, [*(epoch / 10 for epoch in range(11)), *[1.0] * 9] * 2), (1, [*(e / 20 for e in range(21)), *[1.0] * 19])],
)
def test_annealing_by_epochs_of_the_original(cycles: int, rise: list[float]) -> None:
    # Its table for 40 epochs at ratio ½: 0, 0.1, …, 1 at epoch 10, 1 until 19, and again; or 0, 0.05, …, 1 at epoch 20.
    assert [cycled_ramp(epoch / 40, cycles, 0.5) for epoch in range(40)] == pytest.approx(rise)
    assert cycled_ramp(1.0, cycles, 0.5) == 1.0


def test_annealing_ratio_is_the_rising_part_of_a_cycle() -> None:
    assert cycled_ramp(0.15, cycles=4, ratio=1.0) == pytest.approx(0.6)
    assert cycled_ramp(0.05, cycles=4, ratio=0.4) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("decay", "lower", "expected"),
    [  # at epochs 0, 15, 16, 20, 30, 40 of 40, constant until 15
        (1.0, 0.0, [1, 1, 24 / 25, 20 / 25, 10 / 25, 0]),
        (1.0, 0.5, [1, 1, 1 - 0.5 / 25, 0.9, 0.7, 0.5]),
        (0.5, 0.0, [1, 1, 1 - 0.5 / 25, 0.9, 0.7, 0.5]),
        (2.0, 0.25, [1, 1, 1 - 1.5 / 25, 0.7, 0.25, 0.25]),
        (0.0, 0.0, [1, 1, 1, 1, 1, 1]),
    ],
)
def test_teacher_forcing_by_epochs_of_the_original(decay: float, lower: float, expected: list[float]) -> None:
    epochs = (0, 15, 16, 20, 30, 40)
    assert [teacher_forcing(epoch / 40, 1.0, 15 / 40, lower, decay) for epoch in epochs] == pytest.approx(expected)


def test_teacher_forcing_from_another_first_value() -> None:
    assert [teacher_forcing(p, 0.6, 0.5, 0.2, 1.0) for p in (0.4, 0.75, 1.0)] == pytest.approx([0.6, 0.4, 0.2])
    assert teacher_forcing(1.0, 0.6, 1.0, 0.2, 1.0) == 0.6  # never reaches its start


def test_unequal_shapes_are_refused() -> None:
    rows, row = torch.zeros(4, 2), torch.zeros(2)
    with pytest.raises(
        ValueError, match=r"^means and logvars of both must have equal shapes; got \[\(2,\), \(4, 2\)\]$"
    ):
        kl_between(rows, rows, row, row)
    with pytest.raises(ValueError, match=r"^mean and logvar must have equal shapes; got \(4, 1\) and \(4,\)$"):
        kl_nats(torch.zeros(4, 1), torch.zeros(4))
    clip, frame = torch.zeros(2, 3, 1, 4, 4), torch.zeros(2, 1, 1, 4, 4)
    for loss in (squared_error, bernoulli_nats):
        with pytest.raises(ValueError, match=r"^clips must have equal shapes; got \(2, 3, 1, 4, 4\) and \(2, 1, 1, 4"):
            loss(clip, frame)
    with pytest.raises(ValueError, match=r"^both blocks must have the same clips; got 4 and 1$"):
        squared_cross_correlation(torch.zeros(4, 2), torch.zeros(1, 2))


def test_gradients() -> None:
    torch.manual_seed(0)

    def leaf(*sizes: int) -> Tensor:
        return torch.randn(*sizes, dtype=torch.double, requires_grad=True)

    video = torch.rand(2, 3, 1, 2, 2, dtype=torch.double)
    clip = leaf(2, 3, 1, 2, 2)
    assert torch.autograd.gradcheck(kl_nats, (leaf(3, 2), leaf(3, 2)))
    assert torch.autograd.gradcheck(kl_between, tuple(leaf(3, 2) for _ in range(4)))
    assert torch.autograd.gradcheck(lambda mean, logvar: kl_with_free_bits(mean, logvar, 0.1), (leaf(3, 2), leaf(3, 2)))
    assert torch.autograd.gradcheck(lambda drawn: gaussian_nats(drawn, video, 0.05), (clip,))
    assert torch.autograd.gradcheck(lambda logits: bernoulli_nats(logits, video), (clip,))
    assert torch.autograd.gradcheck(lambda drawn: temporal_nats(drawn, video, 0.05), (clip,))
    assert torch.autograd.gradcheck(squared_cross_correlation, (leaf(5, 2), leaf(5, 3)))
