"""SSIM against scikit-image, closed forms, and indifference to order, batching and device layout."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from whatmoves.errors import DataError
from whatmoves.evaluation import ssim as module
from whatmoves.evaluation.ssim import GAUSS11, UNIFORM7, Window, ssim


def pictures(
    frames: int = 9, channels: int = 3, height: int = 23, width: int = 31
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pairs of black-background pictures: noisy, equal, blank, and one with a faint grey floor."""
    rng = np.random.default_rng(3)
    first = np.clip(rng.normal(-0.1, 0.5, (frames, channels, height, width)), 0, 1).astype(np.float32)
    second = np.clip(first + rng.normal(0, 0.1, first.shape), 0, 1).astype(np.float32)
    second[3], second[4], second[5] = first[3], 0, np.clip(first[5] + 0.01, 0, 1)
    return torch.from_numpy(first), torch.from_numpy(second)


def reference(first: torch.Tensor, second: torch.Tensor, **options: object) -> np.ndarray:
    """scikit-image 0.26 in float64, channels averaged."""
    pairs = zip(first.double().numpy(), second.double().numpy(), strict=True)
    return np.array(
        [np.mean([structural_similarity(a, b, **options) for a, b in zip(x, y, strict=True)]) for x, y in pairs]
    )


def test_gauss11_equals_scikit_image() -> None:
    first, second = pictures()
    expected = reference(first, second, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0)
    np.testing.assert_allclose(ssim(first, second, GAUSS11)[0], expected, atol=1e-6)


def test_uniform7_equals_scikit_image_for_both_data_ranges() -> None:
    first, second = pictures()
    ours = ssim(first, second, UNIFORM7, (1.0, 2.0))
    for row, data_range in enumerate((1.0, 2.0)):
        np.testing.assert_allclose(ours[row], reference(first, second, data_range=data_range), atol=1e-6)


def test_two_constant_pictures_by_hand() -> None:
    # Without variance SSIM = (2ab + C1) / (a² + b² + C1) with C1 = 1e-4: a = .2, b = .4 → .1601 / .2001
    first, second = torch.full((1, 1, 12, 13), 0.2), torch.full((1, 1, 12, 13), 0.4)
    assert ssim(first, second, GAUSS11).item() == pytest.approx(0.1601 / 0.2001, abs=2e-6)


@pytest.mark.parametrize("window", [GAUSS11, UNIFORM7], ids=["gauss11", "u7"])
def test_order_symmetry_and_chunks_change_nothing(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = pictures()
    whole = ssim(first, second, window)[0]
    order = torch.randperm(len(first), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ssim(first[order], second[order], window)[0], whole[order], atol=2e-7, rtol=0)
    torch.testing.assert_close(ssim(second, first, window)[0], whole, atol=2e-7, rtol=0)
    monkeypatch.setattr(module, "CHUNK_PIXELS", 2 * 23 * 31)
    torch.testing.assert_close(ssim(first, second, window)[0], whole, atol=2e-7, rtol=0)


def test_transposed_pictures_score_the_same_and_equal_ones_score_one() -> None:
    first, second = pictures()
    whole = ssim(first, second, GAUSS11)[0]
    torch.testing.assert_close(ssim(first.mT, second.mT, GAUSS11)[0], whole, atol=2e-7, rtol=0)
    torch.testing.assert_close(ssim(first, first, GAUSS11)[0], torch.ones(len(first)), atol=1e-6, rtol=0)
    assert whole.std() > 0.1


def test_refuses_small_and_unequal_pictures() -> None:
    with pytest.raises(DataError, match="SSIM: pictures are 10×40 px, smaller than its 11×11 window"):
        ssim(torch.zeros(1, 1, 10, 40), torch.zeros(1, 1, 10, 40), GAUSS11)
    with pytest.raises(DataError, match=r"equal shape; got \[1, 1, 12, 12\] and \[2, 1, 12, 12\]"):
        ssim(torch.zeros(1, 1, 12, 12), torch.zeros(2, 1, 12, 12), GAUSS11)
