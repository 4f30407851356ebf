"""The measures that enter the value index: their words, units, formats, and which way is better."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One measure of a model on a data set."""

    label: str
    unit: str = ""
    format: str = ".3f"
    better: str = "higher"  # or "lower", or "" where neither is


METRICS: dict[str, Metric] = {
    "mse_removed": Metric("share of the mean-frame floor's squared error removed", "", ".1%"),
    "mse_pixel": Metric("squared error per pixel", "", ".4f", "lower"),
    "mse_frame": Metric("squared error per frame, summed over pixels", "", ".2f", "lower"),
    "mae_pixel": Metric("absolute error per pixel", "", ".4f", "lower"),
    "psnr_frame": Metric("PSNR per frame", "dB", ".2f"),
    "psnr_pooled": Metric("PSNR of the mean squared error", "dB", ".2f"),
    "psnr_channel": Metric("PSNR per channel", "dB", ".2f"),
    "ssim_gauss11": Metric("SSIM, Gaussian window of 11", "", ".3f"),
    "ssim_u7_dr1": Metric("SSIM, uniform window of 7, data range 1", "", ".3f"),
    "ssim_u7_dr2": Metric("SSIM, uniform window of 7, data range 2", "", ".3f"),
    "temporal_error": Metric("error of frame differences against the truth", "", ".4f", "lower"),
    "parameters": Metric("trainable parameters", "", ",d", ""),
    "mig": Metric("mutual information gap", "", ".3f"),
    "swap_psnr_frame": Metric("PSNR of swaps against the rendered true swap", "dB", ".2f"),
    "swap_ssim_gauss11": Metric("SSIM of swaps against the rendered true swap", "", ".3f"),
    "swap_mse_pixel": Metric("squared error of swaps against the rendered true swap", "", ".4f", "lower"),
    "validation_total": Metric("validation loss", "nats per clip", ".1f", "lower"),
    "legacy_sap": Metric("legacy SAP", "", ".3f"),
    "legacy_sap_cc": Metric("legacy SAP, content from content", "", ".3f"),
    "legacy_sap_cm": Metric("legacy SAP, motion from content", "", ".3f", "lower"),
    "legacy_sap_mm": Metric("legacy SAP, motion from motion", "", ".3f"),
    "legacy_sap_mc": Metric("legacy SAP, content from motion", "", ".3f", "lower"),
    "legacy_prediction_cc": Metric("legacy accuracy, content from content", "", ".3f"),
    "legacy_prediction_cm": Metric("legacy accuracy, motion from content", "", ".3f", "lower"),
    "legacy_prediction_mm": Metric("legacy accuracy, motion from motion", "", ".3f"),
    "legacy_prediction_mc": Metric("legacy accuracy, content from motion", "", ".3f", "lower"),
    "legacy_prediction_overall": Metric("legacy overall disentanglement", "", ".3f"),
    "legacy_correlation_mean": Metric("legacy mean correlation between blocks", "", ".3f", "lower"),
    "legacy_correlation_max": Metric("legacy largest correlation between blocks", "", ".3f", "lower"),
    "legacy_correlation_frobenius": Metric("legacy Frobenius correlation between blocks", "", ".3f", "lower"),
    "legacy_content_preservation": Metric("legacy content preservation", "", ".3f"),
    "legacy_motion_correlation": Metric("legacy motion correlation", "", ".3f"),
    "legacy_swap_quality": Metric("legacy swap quality", "", ".3f"),
    "legacy_temporal_consistency": Metric("legacy temporal consistency", "", ".4f", "lower"),
}
