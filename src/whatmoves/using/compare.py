"""The same measures from Python, for scripts with models and loaders of their own.

A loader is any iterable of batches: a `Batch`, a video `[B, T, C, H, W]` in [0, 1], or a pair of one of these and the
clips' factors (a table, or a dictionary of columns `[B]`). `whatmoves.using.loaders.get_data_loaders` gives such
loaders; where a loader has no `roles`, whole-number columns count as labels and the others as continuous factors.

A model is a module with some of the abilities of `whatmoves.models.interface`; what it cannot do is absent from its
results, with the reason under `cannot`.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from whatmoves.codes.dci import dci
from whatmoves.codes.discretise import check_classes, factor_classes
from whatmoves.codes.doubts import hiding_codes, resting_dimensions, ruling_factors, unlike_parts
from whatmoves.codes.explicitness import explicitness
from whatmoves.codes.mig import mig
from whatmoves.codes.modularity import modularity
from whatmoves.codes.rows import Rows
from whatmoves.codes.sap import sap
from whatmoves.codes.units import in_own_units, own_factor
from whatmoves.data.clips import Batch, to_bytes
from whatmoves.errors import DataError
from whatmoves.evaluation import factors, legacy
from whatmoves.evaluation.pictures import STEPS
from whatmoves.evaluation.quality import quality, summary
from whatmoves.files import atomic, write_json, write_text
from whatmoves.models.interface import Decodes, Encodes, Reconstructs, Samples

log = logging.getLogger(__name__)

Loader = Iterable[Any]
SHOWN_CLIPS, SHOWN_FRAMES, GAP_PX, SCALE = 4, 10, 2, 2
RECONSTRUCTION_COLUMNS = {
    "mse_pixel": ("MSE", ".4f"),
    "psnr_frame": ("PSNR (dB)", ".2f"),
    "ssim_gauss11": ("SSIM", ".3f"),
    "temporal_error": ("Temporal error", ".4f"),
    "legacy_temporal_consistency": ("Temporal consistency", ".4f"),  # the original's: won by a still video
    "parameters": ("Parameters", ",d"),
}
TRAIN_SHARE = 2 / 3
CODE_BINS, FACTOR_BINS = 20, 10


class FoundRole(NamedTuple):
    """The role of a factor column that nobody described."""

    role: str
    kind: str


def compare_models(
    models: Mapping[str, nn.Module], loader: Loader, device: torch.device | str = "cpu", out: Path | None = None
) -> dict[str, Any]:
    """Quality of each model's reconstructions of the same clips, `{"clips": N, "models": {name: {measure: value}}}`.

    With `out`, also writes `comparison_results.json` and `table_reconstruction.tex` there.
    """
    results: dict[str, Any] = {"models": {}}
    for name, model in models.items():
        results["models"][name], results["clips"] = _reconstruction(model, loader, torch.device(device))
    if out is not None:
        write_json(out / "comparison_results.json", results)
        write_text(out / "table_reconstruction.tex", latex_table(results["models"], RECONSTRUCTION_COLUMNS))
    return results


def compute_all_disentanglement_metrics(
    model: nn.Module, loader: Loader, device: torch.device | str = "cpu", out: Path | None = None, seed: int = 0
) -> dict[str, Any]:
    """Per-dimension metrics of the model's whole code, and the `legacy_*` block measures where it has blocks.

    MIG and modularity are of all clips; SAP, DCI and explicitness are fitted on the first two thirds of the clips and
    scored on the rest. With `out`, also writes `disentanglement_metrics.json` and `table_disentanglement.tex` there.
    What scores and yet misleads (outliers, sorted clips) is logged and told under `warnings`. Raises `DataError` when
    the model has no code, the loader no factors, or either something that is no finite number.
    """
    codes, table = _codes(model, loader, torch.device(device))
    roles: Mapping[str, Any] = getattr(loader, "roles", None) or {
        name: FoundRole("content", "discrete" if pd.api.types.is_integer_dtype(column) else "continuous")
        for name, column in table.items()
    }
    targets = factors.primary(table, roles)
    results: dict[str, Any] = {"clips": len(table), "cannot": {}}
    if targets is None:
        results["cannot"]["per_dimension"] = factors.NO_TARGETS
    else:
        whole = np.concatenate([codes[block] for block in sorted(codes)], axis=1).astype(np.float64)
        results |= {"code_dimensions": whole.shape[1], "factors": list(targets.names)}
        scores, results["warnings"] = _per_dimension(whole, targets, seed)
        results |= scores
        for warning in results["warnings"]:
            log.warning("warning: %s", warning)
    labels = factors.legacy_labels(table)
    if {"content", "motion"} <= set(codes) and labels is not None:
        results |= legacy.block_measures(codes["content"], codes["motion"], *labels)
    else:
        results["cannot"]["legacy_blocks"] = "needs content and motion blocks, and clips with class and direction"
    if out is not None:
        write_json(out / "disentanglement_metrics.json", results)
        columns = {name: (name, ".3f") for name, value in results.items() if isinstance(value, float)}
        rows = {label: {"value": results[name]} for name, (label, _) in columns.items()}
        write_text(out / "table_disentanglement.tex", latex_table(rows, {"value": ("Value", ".3f")}, first="Measure"))
    return results


def evaluate_model(
    model: nn.Module,
    loader: Loader,
    device: torch.device | str,
    out: Path,
    name: str,
    num_samples: int = SHOWN_CLIPS,
    about: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Quality, times and pictures of one model.

    Writes `<name>_metrics.json`, `<name>_reconstructions.png` (truth above reconstruction, the first `num_samples`
    clips of the first batch), `<name>_samples.png` (so many new clips, seed 0) and `<name>_interpolation.png` (from
    the first clip's code to the second's) into `out`, as far as the model can, and returns the metrics: after what
    `about` says of model and clips, if anything.
    """
    place = torch.device(device)
    measured, clips = _reconstruction(model, loader, place)
    results: dict[str, Any] = {**(about or {}), "clips": clips, **measured}
    video = _video(next(iter(loader)), place)[: max(num_samples, 2)]  # two to lead from one to the other
    with torch.inference_mode():
        if isinstance(model, Reconstructs):
            shown = to_bytes(model.reconstruct(video[:num_samples]))
            pairs = np.stack([to_bytes(video[:num_samples]), shown], axis=1).reshape(-1, *shown.shape[1:])
            _write_grid(out / f"{name}_reconstructions.png", pairs)
        if isinstance(model, Samples):
            generator = torch.Generator().manual_seed(0)
            start = time.perf_counter()
            samples = to_bytes(model.sample(num_samples, generator))
            results["generation_ms_per_clip"] = 1000 * (time.perf_counter() - start) / num_samples
            _write_grid(out / f"{name}_samples.png", samples)
        else:
            results["cannot"]["sample"] = "it has no prior to draw from"
        if isinstance(model, Encodes) and isinstance(model, Decodes) and len(video) > 1:
            ends = model.encode(video[:2])
            weight = torch.linspace(0, 1, STEPS, device=place)[:, None]
            path = {block: torch.lerp(end[:1], end[1:], weight) for block, end in ends.items()}
            _write_grid(out / f"{name}_interpolation.png", to_bytes(model.decode(path)))
        else:
            results["cannot"]["interpolation"] = "needs a code that it can draw from, and two clips"
    write_json(out / f"{name}_metrics.json", results)
    return results


def _per_dimension(
    given: NDArray[np.float64], targets: factors.Targets, seed: int
) -> tuple[dict[str, float], list[str]]:
    """The scores, and what makes them doubtful."""
    names, kinds = targets.names, targets.kinds
    codes = in_own_units(given, together=True)
    values = np.stack([own_factor(column, kind) for column, kind in zip(targets.values.T, kinds, strict=True)], axis=1)
    cut = round(TRAIN_SHARE * len(codes))
    train, test = Rows(codes[:cut], values[:cut]), Rows(codes[cut:], values[cut:])
    classes = factor_classes(values, kinds, FACTOR_BINS, names)
    check_classes(classes[:cut], classes[cut:], names)
    gaps = sap(train, test, kinds)
    forest = dci(train, test, kinds, np.random.default_rng(seed))
    found = {
        "mig": mig(codes, values, kinds, CODE_BINS, FACTOR_BINS).score,
        "modularity": modularity(codes, values, kinds, np.random.default_rng(seed), CODE_BINS, FACTOR_BINS).score,
        "sap_r2": gaps.r2,
        "sap_nonlinear": gaps.nonlinear,
        "dci_disentanglement": forest.disentanglement,
        "dci_completeness": forest.completeness,
        "dci_informativeness": forest.informativeness,
        "explicitness": explicitness(train, test, kinds, FACTOR_BINS).score,
    }
    doubts = [
        *hiding_codes(given, codes, classes, CODE_BINS),
        *ruling_factors(targets.values, values, kinds, names),
        *resting_dimensions(given, cut),
        *unlike_parts(classes, names, cut, cut),
    ]
    return found | ({} if gaps.svm is None else {"sap_svm": gaps.svm}), doubts


def _reconstruction(model: nn.Module, loader: Loader, device: torch.device) -> tuple[dict[str, Any], int]:
    """Measures of one model's reconstructions, and the number of clips."""
    results: dict[str, Any] = {
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "cannot": {},
    }
    clips, seconds = 0, 0.0

    def answers(model: Reconstructs) -> Iterator[tuple[Tensor, Tensor]]:
        nonlocal clips, seconds
        for item in loader:
            video = _video(item, device)
            start = time.perf_counter()
            made = model.reconstruct(video)
            clips, seconds = clips + len(video), seconds + time.perf_counter() - start
            yield made, video

    model.to(device).eval()
    with torch.inference_mode():
        if isinstance(model, Reconstructs):
            results |= summary(quality(answers(model))[0])
            results["forward_ms_per_clip"] = 1000 * seconds / clips
        else:
            results["cannot"]["reconstruct"] = "it does not reconstruct clips"
            clips = sum(len(_video(item, device)) for item in loader)
    return results, clips


def _codes(
    model: nn.Module, loader: Loader, device: torch.device
) -> tuple[dict[str, NDArray[np.float32]], pd.DataFrame]:
    """Blocks `[N, D]` and the factor table of all clips of a loader."""
    if not isinstance(model, Encodes):
        raise DataError("disentanglement metrics need a code, and this model has no `encode`; give it one")
    model.to(device).eval()
    parts, tables = [], []
    with torch.inference_mode():
        for item in loader:
            labels = item[1] if isinstance(item, tuple | list) and not isinstance(item, Batch) else None
            if not isinstance(labels, pd.DataFrame | Mapping):
                raise DataError(
                    f"disentanglement metrics need each clip's factors, but the loader gives {type(labels).__name__}; "
                    f"let it yield (video, table or dictionary of columns)"
                )
            video = _video(item, device)
            parts.append(model.encode(video))
            tables.append(_factors(labels, len(video)))
    if not parts:
        raise DataError("disentanglement metrics: the loader gave no clips")
    codes = {block: torch.cat([part[block] for part in parts]).float().cpu().numpy() for block in parts[0]}
    for block, code in codes.items():
        bad = np.argwhere(~np.isfinite(code))
        if len(bad):
            clip, d = bad[0]
            raise DataError(
                f"disentanglement metrics: dimension {d} of the code block {block} is {code[clip, d]} for clip {clip}, "
                f"the first of {len(bad)} such values; mend the model"
            )
    return codes, pd.concat(tables, ignore_index=True)


def _factors(labels: pd.DataFrame | Mapping[str, Any], clips: int) -> pd.DataFrame:
    """The factors of a batch of `clips` as a table; raises `DataError` for other lengths and for what is no number."""
    columns = {name: np.asarray(values) for name, values in labels.items()}
    for name, values in columns.items():
        if values.shape != (clips,):
            raise DataError(
                f"factor {name} is {list(values.shape)} for a batch of {clips} clips; give one number a clip"
            )
        numbers = pd.Series(values)
        if not pd.api.types.is_numeric_dtype(numbers):
            raise DataError(
                f"factor {name} is {values.dtype}, such as {numbers[0]!r}; give numbers: classes as 0, 1, …"
            )
        if not np.isfinite(numbers.to_numpy()).all():
            raise DataError(f"factor {name} holds a value that is no finite number; leave out its clips or the column")
    return pd.DataFrame(columns)


def _video(item: Any, device: torch.device) -> Tensor:
    if isinstance(item, tuple | list) and not isinstance(item, Batch):
        item = item[0]
    video = item.video if isinstance(item, Batch) else item
    if not isinstance(video, Tensor) or video.ndim != 5:
        raise DataError(
            f"the loader gives {type(video).__name__}; expected clips as a tensor [B, T, C, H, W] in [0, 1]"
        )
    return video.to(device)


def _write_grid(path: Path, videos: NDArray[np.uint8]) -> None:
    """One row a clip of `videos` `[N, T, C, H, W]`, up to ten frames evenly over time, doubled in size."""
    from PIL import Image

    count = min(SHOWN_FRAMES, videos.shape[1])
    frames = videos[:, np.linspace(0, videos.shape[1] - 1, count).round().astype(int)]
    N, T, C, H, W = frames.shape
    sheet = np.full((N * (H + GAP_PX) - GAP_PX, T * (W + GAP_PX) - GAP_PX, C), 128, np.uint8)
    for row in range(N):
        for column in range(T):
            top, left = row * (H + GAP_PX), column * (W + GAP_PX)
            sheet[top : top + H, left : left + W] = frames[row, column].transpose(1, 2, 0)
    image = Image.fromarray(sheet[..., 0] if C == 1 else sheet)
    with atomic(path) as temporary:
        image.resize((image.width * SCALE, image.height * SCALE), Image.Resampling.NEAREST).save(temporary)


def latex_table(
    rows: Mapping[str, Mapping[str, Any]], columns: Mapping[str, tuple[str, str]], first: str = "Model"
) -> str:
    """A booktabs table, one row an entry of `rows`; a dash where a value is absent."""
    lines = [rf"\begin{{tabular}}{{l{'r' * len(columns)}}}", r"\toprule"]
    lines.append(" & ".join([first, *(_escaped(label) for label, _ in columns.values())]) + r" \\")
    lines.append(r"\midrule")
    for name, row in rows.items():
        cells = [format(row[key], style) if key in row else "--" for key, (_, style) in columns.items()]
        lines.append(" & ".join([_escaped(name), *cells]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _escaped(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    special |= {character: "\\" + character for character in "&%$#_{}"}
    return "".join(special.get(character, character) for character in text)
