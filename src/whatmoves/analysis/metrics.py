"""The measures that enter the value index: their words, units, formats, and which way is better.

A name with a part in angle brackets stands for a family: `<h>` is a number of frames, `<factor>` a factor, `<test>` a
further test of whatever data set and `<set>` a shifted one; the same part of the label says which, in words.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType

from whatmoves.errors import DataError
from whatmoves.exchange.pairs import FACTORS, read_after


@dataclass(frozen=True)
class Metric:
    """One measure of a model on a data set."""

    label: str
    unit: str = ""
    format: str = ".3f"
    better: str = "higher"  # or "lower", or "" where neither is
    own: bool = field(default=False, kw_only=True)  # of the study, not of the package


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
    "clips_trained": Metric("clips seen when training stopped early", "", ",d", ""),
    "gflops_training_per_clip": Metric("operations of a training step, per clip", "GFLOP", ".3g", ""),
    "gflops_forward_per_clip": Metric("operations of drawing a clip", "GFLOP", ".3g", ""),
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

# What judges say of swaps (judging.swap_scores, .control), then what codes know (judging.information).
METRICS |= {
    "swap_joint": Metric("swaps with A's digit on B's path", "", ".1%"),
    "swap_joint_relative": Metric("joint swap success relative to own reconstructions", "", ".1%"),
    "swap_joint_second": Metric("joint swap success by the second digit judge", "", ".1%"),
    "swap_content_a": Metric("swaps that show A's digit", "", ".1%"),
    "swap_content_b": Metric("swaps that show B's digit", "", ".1%", "lower"),
    "swap_motion_b": Metric("swaps that follow B's path", "", ".1%"),
    "swap_motion_a": Metric("swaps that follow A's path", "", ".1%", "lower"),
    "swap_intervention": Metric("intervention score of swaps (chance 0)", "", ".3f"),
    "swap_motion_r2": Metric("variance of B's path that swaps explain", "", ".3f"),
    "swap_path_error_px": Metric("distance of swaps from B's path", "px", ".2f", "lower"),
    "swap_identity": Metric("frames of a swap that show the same digit", "", ".1%"),
    "swap_judges_kappa": Metric("agreement of the two digit judges on swaps (Cohen's kappa)", "", ".3f", ""),
    "own_joint": Metric("own reconstructions with the right digit and the right path", "", ".1%"),
    "own_content": Metric("own reconstructions that show the digit", "", ".1%"),
    "own_motion": Metric("own reconstructions that follow the path", "", ".1%"),
    "resample_accuracy": Metric("digit kept under a redrawn motion code", "", ".1%"),
    "resample_path_change_px": Metric("path moved by a redrawn motion code", "px", ".2f"),
    "resample_motion_kept": Metric("path kept under a redrawn content code", "", ".1%"),
    "resample_inception": Metric("inception score under a redrawn motion code", "", ".2f"),
    "resample_entropy_given_clip": Metric("H(y|x) under a redrawn motion code", "nats", ".3f", "lower"),
    "resample_entropy_marginal": Metric("H(y) under a redrawn motion code", "nats", ".3f"),
    "led_content_monotone": Metric("digit follows a content code led from A to B (rank correlation)", "", ".3f"),
    "led_content_drift": Metric("path drifts while the content code is led", "px", ".2f", "lower"),
    "led_content_smoothness": Metric("evenness of steps while the content code is led", "", ".3f"),
    "led_motion_monotone": Metric("path follows a motion code led from A to B (rank correlation)", "", ".3f"),
    "led_motion_drift": Metric("steps that change the digit while the motion code is led", "", ".1%", "lower"),
    "led_motion_smoothness": Metric("evenness of steps while the motion code is led", "", ".3f"),
    "track_switches": Metric("identity switches of slots per clip", "", ".3f", "lower"),
    "track_switched_clips": Metric("clips in which a slot changes its digit", "", ".1%", "lower"),
    "track_id_f1": Metric("ID F1 of slots against the true tracks", "", ".3f"),
    "judges_accuracy_first": Metric("first digit judge, accuracy on real clips", "", ".1%"),
    "judges_accuracy_second": Metric("second digit judge, accuracy on real clips", "", ".1%"),
    "judges_kappa": Metric("agreement of the two digit judges on real clips (Cohen's kappa)", "", ".3f"),
    "judges_joint": Metric("real clips with the digit and the path judged right", "", ".1%"),
    "judges_path_error_px": Metric("path judge, error on real clips", "px", ".2f", "lower"),
    "judges_path_near": Metric("real clips whose path is judged right", "", ".1%"),
    "judges_size_error": Metric("judge of sizes, error on real clips, in sides of size 1", "", ".3f", "lower"),
    "judges_tracker_error_px": Metric("centroid tracker, error on real clips", "px", ".2f", "lower"),
    "judges_tracker_error_centred_px": Metric("centroid tracker, error but for a constant", "px", ".3f", "lower"),
    "judges_tracker_distance_px": Metric("distance of path judge and centroid tracker", "px", ".2f", "lower"),
    "judges_tracker_distance_centred_px": Metric("path judge to tracker, but for a constant", "px", ".3f", "lower"),
    "block_gap": Metric("BlockGap: usable information in the right block less that in the wrong one", "", ".3f"),
    "block_gap_content": Metric("BlockGap of content factors", "", ".3f"),
    "block_gap_motion": Metric("BlockGap of motion factors", "", ".3f"),
    "leak_content": Metric("content known to the motion block", "", ".3f", "lower"),
    "leak_motion": Metric("motion known to the content block", "", ".3f", "lower"),
    "block_sap": Metric("block SAP", "", ".3f"),
    "block_mig": Metric("block MIG, signed", "", ".3f"),
    "block_dci_disentanglement": Metric("block DCI, disentanglement", "", ".3f"),
    "block_dci_completeness": Metric("block DCI, completeness", "", ".3f"),
    "block_dci_informativeness": Metric("block DCI, informativeness", "", ".3f"),
    "own_linear": Metric("own factors read from a block by a linear probe", "", ".3f"),
    "own_best": Metric("own factors read from a block by the best probe", "", ".3f"),
    "permuted_control": Metric("usable information of permuted factors", "", ".3f", ""),
    "random_split_gap": Metric("BlockGap of random splits, linear probes", "", ".3f", ""),
    "random_split_leak_content": Metric("content known to random halves", "", ".3f", ""),
    "random_split_leak_motion": Metric("motion known to random halves", "", ".3f", ""),
    "sap_r2": Metric("SAP, share of variance on a line", "", ".3f"),
    "sap_nonlinear": Metric("SAP, share of variance on steps", "", ".3f"),
    "sap_svm": Metric("SAP, linear support vectors", "", ".3f"),
    "dci_disentanglement": Metric("DCI disentanglement", "", ".3f"),
    "dci_completeness": Metric("DCI completeness", "", ".3f"),
    "dci_informativeness": Metric("DCI informativeness", "", ".3f"),
    "dci_plain_disentanglement": Metric("DCI disentanglement, unweighted factors", "", ".3f"),
    "dci_plain_completeness": Metric("DCI completeness, unweighted factors", "", ".3f"),
    "dci_plain_informativeness": Metric("DCI informativeness, plain accuracy", "", ".3f"),
    "modularity": Metric("modularity (about 0.7 for noise)", "", ".3f"),
    "modularity_weighted": Metric("modularity weighted by information", "", ".3f"),
    "explicitness": Metric("explicitness (chance 0.5)", "", ".3f"),
    "dependence_mean_r": Metric("mean |r| between blocks", "", ".3f", "lower"),
    "dependence_max_r": Metric("largest |r| between blocks", "", ".3f", "lower"),
    "dependence_cca": Metric("top canonical correlation between blocks, held out", "", ".3f", "lower"),
    "dependence_dcor": Metric("squared distance correlation between blocks, bias-corrected", "", ".3f", "lower"),
    "dependence_hsic": Metric("HSIC between blocks", "", ".3f", "lower"),
    "dependence_pairs_auc": Metric("true from shuffled pairs of blocks, AUC", "", ".3f", "lower"),
}
METRICS |= {
    f"dependence_{name}_p": Metric(f"permutation p value: {METRICS[f'dependence_{name}'].label}", "", ".3f", "")
    for name in ("mean_r", "max_r", "cca", "dcor", "hsic", "pairs_auc")
}
METRICS |= {
    f"usable_{block}_<factor>": Metric(f"<factor> known to the {block} block", "", ".3f", "")
    for block in ("content", "motion")
}

# Factors exchanged one by one (exchange.exchange): what is right in a clip after one of them was exchanged.
METRICS |= {
    "exchange_block": Metric("factors exchanged by blocks (copies 0, true render 1)", "", ".3f"),
    "exchange_part": Metric("factors exchanged by their parts of the code (copies 0, true render 1)", "", ".3f"),
}
METRICS |= {
    f"exchange_none_{read}": Metric(f"own reconstructions with the right {read}", "", ".1%") for read in FACTORS
}
METRICS |= {"exchange_none_all": Metric("own reconstructions with every factor right", "", ".1%")}
METRICS |= {
    f"exchange_{way}_{factor}_{read}": Metric(
        f"{'every factor' if read == 'all' else read} right after {factor} was exchanged by {words}", "", ".1%"
    )
    for way, words in {"block": "its block", "part": "its part of the code"}.items()
    for factor in FACTORS
    for read in (*read_after(factor), "all")
}
METRICS |= {
    f"exchange_explained_{factor}": Metric(f"{factor} explained by a linear probe of the code", "", ".3f")
    for factor in FACTORS
}

# Shifted test sets (shifts.shift): parts of the way from floor to ceiling, and what a shift takes of them.
KEPT = {
    "reconstruct": "reconstruction",
    "predict": "prediction",
    "swap": "swaps",
    "content": "class in the code",
    "motion": "motion in the code",
}
METRICS |= {
    f"shift_<set>_{what}": Metric(f"{words} on the set <set>, from floor to ceiling", "", ".2f")
    for what, words in KEPT.items()
}
METRICS |= {
    f"shift_lost_<set>_{what}": Metric(
        f"{words}: part of the way from floor to ceiling lost by <set>", "", ".2f", "lower"
    )
    for what, words in KEPT.items()
}

# What prediction and detection measure (evaluation.prediction, .detection); gains are of analysis.predictions.
METRICS |= {
    "predict_mse_pixel": Metric("squared error of predictions per pixel", "", ".4f", "lower"),
    "predict_mae_pixel": Metric("absolute error of predictions per pixel", "", ".4f", "lower"),
    "predict_psnr_frame": Metric("PSNR per predicted frame", "dB", ".2f"),
    "predict_psnr_channel": Metric("PSNR per channel of predicted frames", "dB", ".2f"),
    "predict_ssim_gauss11": Metric("SSIM of predicted frames, Gaussian window of 11", "", ".3f"),
    "predict_mse_frame": Metric("squared error per predicted frame, summed over pixels", "", ".1f", "lower"),
    "predict_mae_frame": Metric("absolute error per predicted frame, summed over pixels", "", ".1f", "lower"),
    "predict_ssim_u7_dr2": Metric("SSIM of predicted frames, uniform window of 7, data range 2", "", ".3f"),
    "predict_gain_db": Metric("PSNR of predictions above the best floor's", "dB", "+.2f"),
    "action_cost_db": Metric("PSNR lost under the actions of another clip", "dB", ".2f"),
    "detection_map": Metric("average precision of detections, mean over horizons", "", ".3f"),
    "detection_ap_late": Metric("average precision of detections, mean from horizon 2 on", "", ".3f"),
    "detection_persistence_map": Metric("average precision of persistence, mean over horizons", "", ".3f", ""),
    "detection_chance_map": Metric("average precision of chance, mean over horizons", "", ".3f", ""),
    "detection_gain": Metric("average precision of detections above that of persistence", "", "+.3f"),
    "detection_nats": Metric("detection loss on true frames", "nats per cell", ".3f", "lower"),
}
METRICS |= {
    f"predict_{which}_{name}": Metric(f"{METRICS[f'predict_{name}'].label}, {words}", *of)
    for which, words in {"best": "best of several draws", "shuffled": "under the actions of another clip"}.items()
    for name, of in {
        "mse_pixel": ("", ".4f", "lower"),
        "mae_pixel": ("", ".4f", "lower"),
        "psnr_frame": ("dB", ".2f"),
        "psnr_channel": ("dB", ".2f"),
        "ssim_gauss11": ("", ".3f"),
    }.items()
}
METRICS |= {
    "predict_novel_mse_pixel": Metric(
        "squared error of predictions of objects never seen in training", "", ".4f", "lower"
    ),
    "predict_novel_psnr_frame": Metric("PSNR per predicted frame of objects never seen in training", "dB", ".2f"),
    "predict_<test>_mse_pixel": Metric("squared error of predictions of the clips <test>", "", ".4f", "lower"),
    "predict_<test>_psnr_frame": Metric("PSNR per predicted frame of the clips <test>", "dB", ".2f"),
    "detection_ap_<h>": Metric("average precision of detections <h> frames ahead"),
}

# What came of plans (planning.plan), by the cost that they were chosen by; the part closed is of analysis.plans.
METRICS |= {
    f"plan_{measure}_{cost}": Metric(f"{label}, plans {words}", *of)
    for cost, words in {
        "pixels": "by pixels",
        "code": "by the code",
        "content": "by the content code",
        "motion": "by the motion code",
        "places": "by true places",
    }.items()
    for measure, (label, *of) in {
        "success": ("tasks solved", "", ".1%"),
        "distance": ("distance of the object from its goal", "sides", ".3f", "lower"),
        "rank": ("rank correlation of the cost with the true distance", "", ".2f"),
        "closed": ("part of the way from random actions to the true simulator", "", ".1%"),
    }.items()
}

# Measured and kept in the files, but of no use in a table: named here so that nothing is left out without a word.
NOT_INDEXED = frozenset(
    {"collapsed", "judges_clips", "legacy_prediction_content", "legacy_prediction_motion"}
    | {"mig_<factor>"}  # the parts of `mig`
)

OWN_PREFIXES = {"": "", "predict_": ", of predictions", "swap_": ", of swaps"}  # what a study's own are asked of
# What may stand for the part of a name in angle brackets.
PARTS = {"h": r"\d+", "factor": r"\w+", "test": r"\w+", "set": "[a-z]+"}
AXES = {"y": "down", "x": "right"}  # end the names of factors, in every data set


def own_metrics(own: Mapping[str, ModuleType]) -> dict[str, Metric]:
    """The words of a study's own measures (`whatmoves.plugins.measures`): of reconstructions, predictions and swaps."""
    found: dict[str, Metric] = {}
    for name, module in own.items():
        unit, form, better = (getattr(module, *said) for said in (("UNIT", ""), ("FORMAT", ".4f"), ("BETTER", "")))
        for prefix, of in OWN_PREFIXES.items():
            found[prefix + name] = Metric(module.LABEL + of, unit, form, better, own=True)
    return found


def described(name: str, table: Mapping[str, Metric] = METRICS) -> Metric | None:
    """The words of a measure, with those of its horizon or factor; None where no line of `table` describes it."""
    for line, metric in table.items():
        if found := _pattern(line).fullmatch(name):
            label = metric.label
            for part, value in found.groupdict().items():
                label = label.replace(f"<{part}>", factor_words(value) if part == "factor" else value)
            return replace(metric, label=label)
    return None


def indexed(names: Iterable[str], file: str, table: Mapping[str, Metric] = METRICS) -> list[str]:
    """Those of the `names` measured that enter the index, in the order above; the numbers of a family ascend.

    Raises `DataError` for a measure that no line above describes: it would be left out of the paper in silence.
    """
    places: dict[str, tuple[int, int, str]] = {}
    for name in names:
        place = next((at for at, line in enumerate(table) if _pattern(line).fullmatch(name)), None)
        if place is not None:
            places[name] = (place, len(name), name)
        elif not any(_pattern(line).fullmatch(name) for line in NOT_INDEXED):
            raise DataError(
                f'{file}: measure {name!r} has no words; add `"{name}": Metric("…")` to METRICS in '
                f"whatmoves/analysis/metrics.py, or its name to NOT_INDEXED there"
            )
    return sorted(places, key=places.__getitem__)


def factor_words(name: str) -> str:
    """A factor as labels say it: `start_y` is "start, down,". Of several objects, what no order of them changes has
    the names of `whatmoves.evaluation.factors.unordered`."""
    kind, _, of = name.partition("_")
    match kind:
        case "shows":
            return f"whether a {of} is shown,"
        case "mean" | "spread" if of:
            return f"{'mean' if kind == 'mean' else 'deviation'} over objects of the {_on_axis(of)},"
        case "covariance" if found := re.fullmatch(r"(\w+?)_([yx])_(\w+)_([yx])", of):
            first, down, second, right = found.groups()
            both = f"{first}, {AXES[down]}" + (f", and the {second}, " if first != second else " and ") + AXES[right]
            return f"covariance over objects of the {both},"
        case _:
            words = _on_axis(name)
            return f"{words}," if "," in words else words


def _on_axis(name: str) -> str:
    stem, _, axis = name.rpartition("_")
    return f"{stem}, {AXES[axis]}".replace("_", " ") if stem and axis in AXES else name.replace("_", " ")


@functools.cache
def _pattern(line: str) -> re.Pattern[str]:
    """What the name of a line above stands for."""
    return re.compile(re.sub(r"<(\w+)>", lambda part: f"(?P<{part[1]}>{PARTS[part[1]]})", line))
