"""Quality by hand-made errors, against scikit-image, and for the rows everything is read against."""

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from whatmoves.errors import DataError
from whatmoves.evaluation.quality import SWAPPED, blurred, frame_quality, quality, summary, swap_quality


def clips(count: int = 5) -> torch.Tensor:
    """A bright square on black that steps right, `[count, 3, 2, 12, 14]`; each clip starts elsewhere."""
    video = torch.zeros(count, 3, 2, 12, 14)
    for clip in range(count):
        for frame in range(3):
            video[clip, frame, :, 3:7, clip + frame : clip + frame + 3] = 0.8
    return video


def test_constant_offset_by_hand() -> None:
    truth = torch.full((2, 3, 1, 12, 13), 0.5)
    values, curves = quality([(truth + 0.1, truth)])
    # .1² = .01 per pixel → −10 log10 .01 = 20 dB; 156 pixels → 1.56 per frame; a constant offset moves nothing
    expected = {"mse_pixel": 0.01, "mse_frame": 1.56, "mae_pixel": 0.1, "temporal_error": 0.0}
    expected |= {"psnr_frame": 20.0, "psnr_channel": 20.0, "psnr_pooled": 20.0}
    for name, value in expected.items():
        np.testing.assert_allclose(values[name], value, rtol=2e-6, atol=1e-6, err_msg=name)
    assert len(curves["psnr_frame"]) == 3
    assert len(curves["temporal_error"]) == 2


def test_mean_of_decibels_and_decibels_of_the_mean_differ_as_they_should() -> None:
    truth = torch.zeros(2, 2, 2, 12, 12)
    prediction = truth.clone()
    prediction[0, 0, 0] = 0.1  # channel MSEs of clip 0, frame 0: .01 and 0; frame 1: 0 and 0
    prediction[1] = 0.1
    values, _ = quality([(prediction, truth)])
    frame0 = -10 * np.log10(0.005)
    np.testing.assert_allclose(values["psnr_frame"], [(frame0 + 100) / 2, 20], rtol=1e-6)
    np.testing.assert_allclose(values["psnr_channel"], [(20 + 100 + 100 + 100) / 4, 20], rtol=1e-6)
    np.testing.assert_allclose(values["psnr_pooled"], [-10 * np.log10(0.0025), 20], rtol=1e-6)
    totals = summary(values)
    assert totals["psnr_pooled"] == pytest.approx(-10 * np.log10((0.0025 + 0.01) / 2), rel=1e-6)
    assert totals["psnr_frame"] == pytest.approx(values["psnr_frame"].mean())
    assert totals["psnr_pooled"] < totals["psnr_frame"] < totals["psnr_channel"]


def test_psnr_equals_scikit_image() -> None:
    truth = clips()
    prediction = (truth + 0.2 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(1))).clamp(-0.5, 1.5)
    ours = frame_quality(prediction, truth)["psnr_frame"].numpy()
    for index in np.ndindex(5, 3):
        other = peak_signal_noise_ratio(truth[index].numpy(), prediction[index].clamp(0, 1).numpy(), data_range=1)
        assert ours[index] == pytest.approx(other, rel=1e-5)


def test_perfect_blank_and_still_rows() -> None:
    truth = clips()
    perfect, blank, still = (quality([(p, truth)])[0] for p in (truth, truth * 0, truth[:, :1].expand_as(truth)))
    np.testing.assert_allclose(perfect["psnr_frame"], 100)
    np.testing.assert_allclose(perfect["ssim_gauss11"], 1, atol=1e-6)
    # 12 of 168 pixels are .8: MSE .64 · 12 / 168, whatever the channel
    np.testing.assert_allclose(blank["mse_pixel"], 0.64 * 12 / 168, rtol=1e-6)
    np.testing.assert_allclose(blank["mse_frame"], 2 * 0.64 * 12, rtol=1e-6)
    # one column of 4 pixels appears and one vanishes at each step: 8 · .8 / 168
    np.testing.assert_allclose(still["temporal_error"], 8 * 0.8 / 168, rtol=1e-6)
    np.testing.assert_allclose(perfect["temporal_error"], 0)
    np.testing.assert_allclose(perfect["legacy_temporal_consistency"], 8 * 0.8 / 168, rtol=1e-6)
    np.testing.assert_allclose(still["legacy_temporal_consistency"], 0)


def test_clipping_touches_psnr_but_not_mse() -> None:
    truth = torch.ones(1, 2, 1, 11, 11)
    values, _ = quality([(truth + 0.5, truth)])
    assert values["mse_pixel"] == pytest.approx([0.25])
    assert values["psnr_frame"] == pytest.approx([100])


def test_batches_and_order_change_nothing() -> None:
    truth, prediction = clips(), blurred(clips())
    whole, curves = quality([(prediction, truth)])
    parts, part_curves = quality([(prediction[:2], truth[:2]), (prediction[2:], truth[2:])])
    backwards, _ = quality([(prediction.flip(0), truth.flip(0))])
    assert set(whole) == {*frame_quality(prediction, truth), "psnr_pooled"}
    assert set(swap_quality([(prediction, truth)])) == {f"swap_{name}" for name in SWAPPED}
    for name in whole:
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(backwards[name][::-1], whole[name], rtol=1e-5, atol=1e-7)
    for name in curves:
        np.testing.assert_allclose(part_curves[name], curves[name], rtol=1e-5, atol=1e-7)


def test_one_frame_has_no_temporal_error() -> None:
    assert "temporal_error" not in quality([(clips()[:, :1], clips()[:, :1])])[0]


def test_blur_is_the_gaussian_and_keeps_the_sum() -> None:
    dot = torch.zeros(1, 1, 1, 15, 17)
    dot[..., 7, 8] = 1
    soft = blurred(dot)
    assert soft.sum().item() == pytest.approx(1, abs=1e-5)
    assert (soft[..., 7, 9] / soft[..., 7, 8]).item() == pytest.approx(np.exp(-0.5), rel=1e-5)
    torch.testing.assert_close(soft[0, 0, 0, 7, 4:13], soft[0, 0, 0, 3:12, 8])


@pytest.mark.parametrize(
    ("prediction", "truth", "message"),
    [
        (torch.zeros(1, 2, 1, 11, 11, dtype=torch.uint8), torch.zeros(1, 2, 1, 11, 11), "prediction is torch.uint8"),
        (torch.zeros(1, 2, 1, 11, 11), torch.full((1, 2, 1, 11, 11), 255.0), "truth runs from 255 to 255"),
        (torch.full((1, 2, 1, 11, 11), 200.0), torch.zeros(1, 2, 1, 11, 11), "prediction runs from 200 to 200"),
        (torch.full((1, 2, 1, 11, 11), torch.nan), torch.zeros(1, 2, 1, 11, 11), "prediction runs from nan"),
        (torch.zeros(2, 1, 1, 11, 11), torch.zeros(1, 2, 1, 11, 11), "must both be"),
    ],
)
def test_refuses_other_scales_and_shapes(prediction: torch.Tensor, truth: torch.Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        frame_quality(prediction, truth)
