"""Trained models side by side: tables of reconstruction, disentanglement and efficiency, in LaTeX and CSV.

Columns have the names of the content/motion VAE's own tables, beside which stand measures without their flaws
(docs/measures.md). Swaps are the original's: the content of each clip with the motion of the next.
"""

import csv
import io
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from whatmoves.errors import DataError
from whatmoves.evaluation.flops import forward_gflops
from whatmoves.evaluation.legacy import SWAP_PAIRS, swap_measures
from whatmoves.files import read_json, write_json, write_text
from whatmoves.models.interface import Decodes, Encodes, Reconstructs, Samples
from whatmoves.training.checkpoint import Loaded
from whatmoves.training.runtime import choose_device
from whatmoves.using.compare import (
    RECONSTRUCTION_COLUMNS,
    compare_models,
    compute_all_disentanglement_metrics,
    latex_table,
)
from whatmoves.using.exported import load_model
from whatmoves.using.loaders import ClipLoader
from whatmoves.using.on_files import as_floats
from whatmoves.using.own_clips import file_of, open_clips

log = logging.getLogger(__name__)

Columns = Mapping[str, tuple[str, str]]
DISENTANGLEMENT_COLUMNS: Columns = {
    "mig": ("MIG", ".3f"),
    "sap_r2": ("SAP (R2)", ".3f"),
    "modularity": ("Modularity", ".3f"),
    "dci_disentanglement": ("DCI disentanglement", ".3f"),
    "dci_completeness": ("DCI completeness", ".3f"),
    "dci_informativeness": ("DCI informativeness", ".3f"),
    "explicitness": ("Explicitness", ".3f"),
    "legacy_sap_cc": ("SAP content to content", ".3f"),
    "legacy_sap_cm": ("SAP content to motion", ".3f"),
    "legacy_sap_mm": ("SAP motion to motion", ".3f"),
    "legacy_sap_mc": ("SAP motion to content", ".3f"),
    "legacy_sap": ("SAP disentanglement", ".3f"),
    "legacy_prediction_cc": ("Accuracy content to content", ".3f"),
    "legacy_prediction_cm": ("Accuracy content to motion", ".3f"),
    "legacy_prediction_mm": ("Accuracy motion to motion", ".3f"),
    "legacy_prediction_mc": ("Accuracy motion to content", ".3f"),
    "legacy_prediction_overall": ("Overall disentanglement", ".3f"),
    "legacy_correlation_mean": ("Mean correlation", ".3f"),
    "legacy_correlation_max": ("Max correlation", ".3f"),
    "legacy_content_preservation": ("Content preservation", ".3f"),
    "legacy_motion_correlation": ("Motion correlation", ".3f"),
    "legacy_swap_quality": ("Swap quality", ".3f"),
}
EFFICIENCY_COLUMNS: Columns = {
    "parameters": ("Parameters", ",d"),
    "size_mb": ("Size (MB)", ".2f"),
    "gflops_forward_per_clip": ("GFLOP/clip", ".3g"),
    "forward_ms_per_clip": ("Forward (ms/clip)", ".2f"),
    "generation_ms_per_clip": ("Generation (ms/clip)", ".2f"),
    "training_s": ("Training (s)", ",.0f"),
}
TIMED_SAMPLES = 8


def write_tables(models: Sequence[Path], clips: Path | None, out: Path, device: str = "auto") -> dict[str, Any]:
    """Measure checkpoints or exported folders on the same clips; write `table_<which>.tex` and `.csv` for which =
    reconstruction, disentanglement and efficiency, and `comparison_results.json`, into `out`.

    Returns `{"clips": N, "models": {name: {measure: value, …, "cannot": {what: reason}}}}`; what a model cannot do is a
    dash in the tables. Without `clips` each study's test split serves; raises `DataError` where those are not one file.
    """
    place = choose_device(device)
    opened = {path: load_model(path, place) for path in models}
    files = {file_of(path, loaded, clips).resolve() for path, loaded in opened.items()}
    if len(files) > 1:
        two = " and ".join(str(path) for path in sorted(files)[:2])
        raise DataError(f"the models have different test clips, {two}; name the clips for all: --clips CLIPS.npz")
    file = files.pop()
    loaders = {path: open_clips(path, loaded, file) for path, loaded in opened.items()}  # all fit, before any work
    rows: dict[str, dict[str, Any]] = {}
    count = 0
    for name, path in _names(opened).items():
        log.info("%s", name)
        found = compare_models({name: opened[path].model}, loaders[path], place)
        rows[name], count = found["models"][name], found["clips"]
        rows[name] |= _efficiency(path, opened[path], loaders[path])
        known = _disentanglement(opened[path], loaders[path], place)
        rows[name] |= {**known, "cannot": rows[name]["cannot"] | known["cannot"]}
    results = {"clips": count, "models": rows}
    write_json(out / "comparison_results.json", results)
    _write(out, "reconstruction", rows, RECONSTRUCTION_COLUMNS)
    _write(out, "disentanglement", rows, DISENTANGLEMENT_COLUMNS, upright=True)
    _write(out, "efficiency", rows, EFFICIENCY_COLUMNS)
    return results


def _names(opened: Mapping[Path, Loaded]) -> dict[str, Path]:
    """A name for each model, as short as tells them apart."""
    metas = [loaded.meta for loaded in opened.values()]
    for words in ("{model}", "{model}, seed {seed}", "{model} on {dataset}, seed {seed}"):
        names = [words.format(**meta) for meta in metas]
        if len(set(names)) == len(names):
            return dict(zip(names, opened, strict=True))
    return {str(path): path for path in opened}


def _efficiency(path: Path, loaded: Loaded, loader: ClipLoader) -> dict[str, Any]:
    """Size, operations, and times of this process; the training's own time where it stands beside the checkpoint."""
    model = loaded.model
    sizes = [value.numel() * value.element_size() for value in model.state_dict().values()]
    found: dict[str, Any] = {"size_mb": sum(sizes) / 1e6}
    batch, _ = next(iter(loader))
    if isinstance(model, Reconstructs) and (operations := forward_gflops(model, batch, past_frames=1)) is not None:
        found["gflops_forward_per_clip"] = operations
    if isinstance(model, Samples):
        with torch.inference_mode():
            start = time.perf_counter()
            model.sample(TIMED_SAMPLES, torch.Generator().manual_seed(0)).cpu()
            found["generation_ms_per_clip"] = 1000 * (time.perf_counter() - start) / TIMED_SAMPLES
    timings = path.with_name("timings.json")
    if path.is_file() and timings.is_file():
        found["training_s"] = float(read_json(timings)["seconds"])
    return found


def _disentanglement(loaded: Loaded, loader: ClipLoader, device: torch.device) -> dict[str, Any]:
    """Measures of the code, and under `cannot` why there are none of some."""
    if not isinstance(loaded.model, Encodes):
        return {"cannot": {"disentanglement": "it has no code"}}
    if loader.split.factors.empty:
        return {"cannot": {"disentanglement": "no table of factors (.csv) beside the clips"}}
    try:
        found = compute_all_disentanglement_metrics(loaded.model, loader, device)
    except DataError as error:  # too few clips of a class, and the like: the other tables can be made
        return {"cannot": {"disentanglement": str(error)}}
    del found["clips"]
    return found | _swaps(loaded.model, loader, device)


def _swaps(model: nn.Module, loader: ClipLoader, device: torch.device) -> dict[str, float]:
    """The original's measures of its swaps; nothing for a model without a content and a motion block to draw from."""
    video = as_floats(loader.split.video[: SWAP_PAIRS + 1], device)
    if not (isinstance(model, Encodes) and isinstance(model, Decodes)) or len(video) < 2:
        return {}
    with torch.inference_mode():
        code = model.encode(video)
        if not {"content", "motion"} <= set(code):
            return {}
        swapped = model.decode({"content": code["content"][:-1], "motion": code["motion"][1:]})
    return swap_measures(*(part.cpu().numpy() for part in (video[:-1], video[1:], swapped)))


def _write(
    out: Path, which: str, rows: Mapping[str, Mapping[str, Any]], columns: Columns, upright: bool = False
) -> None:
    """A table's `.csv`, one row a model in full precision, and `.tex`, where `upright` puts models in columns."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["Model", *(heading for heading, _ in columns.values())])
    writer.writerows([name, *(row.get(key) for key in columns)] for name, row in rows.items())
    write_text(out / f"table_{which}.csv", stream.getvalue())
    if upright:
        measures = {
            heading: {name: row[key] for name, row in rows.items() if key in row}
            for key, (heading, _) in columns.items()
        }
        text = latex_table(measures, {name: (name, ".3f") for name in rows}, first="Measure")
    else:
        text = latex_table(rows, columns)
    write_text(out / f"table_{which}.tex", text)
