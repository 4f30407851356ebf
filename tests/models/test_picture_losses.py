"""Losses on pictures against numbers worked out by hand, their limits, second opinions and their gradients."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from whatmoves.errors import CheckpointError
from whatmoves.evaluation.ssim import GAUSS11, ssim
from whatmoves.judging.drawing import Geometry
from whatmoves.judging.judges import Judges, save_judges
from whatmoves.models.losses.adversarial import discriminator_nats, frozen, generator_nats, noisy_labels
from whatmoves.models.losses.edges import sobel_l1
from whatmoves.models.losses.perceptual import feature_l1
from whatmoves.models.losses.similarity import dissimilarity
from whatmoves.models.losses.spectrum import spectrum_l1
from whatmoves.models.picture_features import judge_features, random_features

PAIR_LOSSES = (sobel_l1, spectrum_l1, dissimilarity)


def pictures(seed: int, *sizes: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(sizes, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_sobel_l1_by_hand() -> None:
    # One bright pixel in 5×5: rightward slopes are −1 −2 −1 and 1 2 1 beside it, 8 in all, downward as many.
    truth = torch.zeros(1, 1, 5, 5)
    drawn = truth.clone()
    drawn[0, 0, 2, 2] = 0.5
    assert sobel_l1(drawn, truth).item() == pytest.approx(0.5 * (8 + 8) / 25)
    assert sobel_l1(torch.cat((drawn, truth)), torch.cat((truth, truth))).item() == pytest.approx(0.5 * 16 / 50)
    # A picture that is too bright by ½ throughout has wrong slopes at its border only: 4 · ½ where it is straight.
    brighter = sobel_l1(torch.full((1, 1, 4, 50), 0.5), torch.zeros(1, 1, 4, 50)).item()
    assert brighter == pytest.approx((2 * (48 * 2 + 2 * 1.5) + 2 * (2 * 2 + 2 * 1.5)) / 200)


def test_spectrum_l1_by_hand() -> None:
    # A constant ½ on 4×6 has one frequency, of magnitude ½ √24; the mean over 24 of them is ½ / √24.
    grey = torch.full((2, 3, 4, 6), 0.5)
    assert spectrum_l1(grey, torch.zeros_like(grey)).item() == pytest.approx(0.5 / math.sqrt(24))
    picture = pictures(0, 2, 3, 4, 6)
    assert spectrum_l1(picture.roll((1, 2), (2, 3)), picture).item() == pytest.approx(0, abs=1e-6)


def test_dissimilarity_is_one_minus_the_measure() -> None:
    first, second = pictures(0, 3, 2, 13, 17), pictures(1, 3, 2, 13, 17)
    second[1] = 0.9 * first[1] + 0.05
    expected = 1 - ssim(first, second, GAUSS11)[0].mean()
    assert dissimilarity(first, second).item() == pytest.approx(expected.item(), abs=1e-5)
    # Two flat pictures: (2 · 0.2 · 0.4 + C1) / (0.04 + 0.16 + C1), everything else 1.
    flat = dissimilarity(torch.full((1, 1, 11, 11), 0.2), torch.full((1, 1, 11, 11), 0.4)).item()
    assert flat == pytest.approx(1 - 0.1601 / 0.2001, rel=1e-3)


def test_feature_l1_is_the_mean_over_stages() -> None:
    def features(seen: Tensor) -> list[Tensor]:
        return [seen, seen[:, :, ::2, ::2] * 4]

    truth = torch.zeros(1, 1, 2, 2)
    drawn = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])  # stage 1: ¼; stage 2: 4
    assert feature_l1(features, drawn, truth).item() == pytest.approx((0.25 + 4) / 2)


@pytest.mark.parametrize("channels", [1, 3])
def test_random_features_are_the_same_everywhere_and_as_large_as_intensities(channels: int) -> None:
    picture = pictures(0, 2, channels, 16, 24)
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, second = (random_features(channels)(picture) for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    assert [stage.shape for stage in first] == [(2, 16, 16, 24), (2, 32, 8, 12), (2, 64, 4, 6)]
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one, other)
        assert 0.1 < one.square().mean().sqrt().item() < 2  # the input's is 0.58
    assert not any(p.requires_grad for p in random_features(channels).parameters())


def test_judge_features_are_the_judges_own(tmp_path: Path) -> None:
    torch.manual_seed(0)
    judges = Judges(Geometry(image_px=64, digit_px=28, digits=2))
    judges.first(torch.rand(8, 1, 32, 32))  # running statistics that are not the fresh ones
    save_judges(tmp_path / "judges.pt", judges.eval())
    features = judge_features(tmp_path / "judges.pt")
    video = pictures(0, 3, 1, 64, 64)
    stages = features(video)
    shrunk = nn.functional.avg_pool2d(video, 2)
    with torch.no_grad():
        torch.testing.assert_close(stages[-1], judges.first.body(shrunk))
        torch.testing.assert_close(judges.first.head(stages[-1]), judges.first(shrunk).places)
    assert [len(stage[0]) for stage in stages] == [16, 32, 64, 64]
    assert [len(stage[0]) for stage in features(video.expand(-1, 3, -1, -1))] == [16, 32, 64, 64]
    torch.testing.assert_close(features(video.expand(-1, 3, -1, -1))[0], stages[0])


def test_a_file_that_holds_no_judges_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "judges.pt"
    for content, message in (
        (None, f"{path}: cannot read it (No such file or directory); run `whatmoves judge --train`"),
        (b"no", f"{path}: not readable as judges (UnpicklingError); delete it and run `whatmoves judge --train`"),
    ):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(CheckpointError) as caught:
            judge_features(path)
        assert str(caught.value) == message
    torch.save({"geometry": {"digit_px": 14}, "weights": {"second.body.0.weight": torch.zeros(1)}}, path)
    with pytest.raises(CheckpointError, match=r"not readable as judges \(KeyError\); delete it"):
        judge_features(path)


def test_noisy_labels_stay_in_their_range() -> None:
    torch.manual_seed(0)
    logits = torch.zeros(4000, 1)
    soft = noisy_labels(logits, (0.8, 1.0), noise=0.0)
    assert 0.8 <= soft.min() < 0.801 < 0.999 < soft.max() <= 1
    assert soft.mean().item() == pytest.approx(0.9, abs=0.005)  # ± 5 standard errors
    noisy = noisy_labels(logits, (0.5, 0.5), noise=0.05)
    assert noisy.std().item() == pytest.approx(0.05, rel=0.06)
    assert noisy_labels(logits, (0.0, 0.0), noise=1.0).aminmax() == (0, 1)


def test_the_games_nats_by_hand() -> None:
    zero = torch.zeros(3, 1)
    hard = ((0.0, 0.0), (1.0, 1.0))
    assert discriminator_nats(zero, zero, hard, 0.0).item() == pytest.approx(2 * math.log(2))
    # Right by 2 on real pictures (0), wrong by 1 on made ones (1): log(1 + e^−2) + log(1 + e^1).
    expected = math.log1p(math.exp(-2)) + math.log1p(math.e)
    assert discriminator_nats(zero - 2, zero - 1, hard, 0.0).item() == pytest.approx(expected)
    assert generator_nats(zero - 1, (0.0, 0.0), 0.0).item() == pytest.approx(math.log1p(math.exp(-1)))


def test_a_frozen_discriminator_judges_alike_and_learns_nothing() -> None:
    torch.manual_seed(0)
    judge = nn.Sequential(nn.Flatten(), nn.Linear(12, 1))
    seen = pictures(0, 2, 3, 2, 2).requires_grad_()
    assert torch.equal(frozen(judge, seen), judge(seen))
    frozen(judge, seen).sum().backward()
    assert seen.grad is not None
    torch.testing.assert_close(seen.grad[0].flatten(), judge[1].weight[0])
    assert all(p.grad is None for p in judge.parameters())


@pytest.mark.parametrize("loss", PAIR_LOSSES)
def test_equal_pictures_cost_nothing_and_the_gradient_is_right(loss: object) -> None:
    assert callable(loss)
    sizes = (1, 2, 12, 11) if loss is dissimilarity else (1, 2, 4, 5)
    truth = pictures(0, *sizes, dtype=torch.double)
    drawn = pictures(1, *sizes, dtype=torch.double).requires_grad_()
    assert loss(truth, truth).item() == pytest.approx(0, abs=1e-12)
    assert torch.autograd.gradcheck(lambda x: loss(x, truth), (drawn,))
    black = torch.zeros(sizes, requires_grad=True)
    (slope,) = torch.autograd.grad(loss(black, truth.float()), black)
    assert slope.isfinite().all()


def test_unequal_or_small_pictures_are_refused() -> None:
    for loss in (*PAIR_LOSSES, lambda x, y: feature_l1(random_features(1), x, y)):
        with pytest.raises(
            ValueError, match=r"^pictures must have equal shapes; got \(2, 1, 12, 12\) and \(1, 1, 12, 12"
        ):
            loss(torch.zeros(2, 1, 12, 12), torch.zeros(1, 1, 12, 12))
    with pytest.raises(ValueError, match=r"^pictures are 10×12; must be ≥ 11 on each side$"):
        dissimilarity(torch.zeros(1, 1, 10, 12), torch.zeros(1, 1, 10, 12))
    with pytest.raises(ValueError, match=r"^logits must have equal shapes; got \(2, 1\) and \(1, 1\)$"):
        discriminator_nats(torch.zeros(2, 1), torch.zeros(1, 1), ((0, 0), (1, 1)), 0.0)


def test_autocast_does_not_coarsen_them() -> None:
    first, second = pictures(0, 2, 3, 16, 16), pictures(1, 2, 3, 16, 16)
    losses = (*PAIR_LOSSES, lambda x, y: feature_l1(random_features(3), x, y))
    exact = [loss(first, second) for loss in losses]
    with torch.autocast("cpu", torch.bfloat16):
        for value, loss in zip(exact, losses, strict=True):
            assert torch.equal(loss(first, second), value)
