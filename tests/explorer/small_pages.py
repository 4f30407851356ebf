"""Small studies with real pictures of untrained models, and their pages; their words try to break out of the page."""

from pathlib import Path
from typing import NamedTuple

from whatmoves.data.clips import ClipShape
from whatmoves.evaluation.evaluate import evaluate
from whatmoves.explorer.page import make_explorer
from whatmoves.files import write_json
from whatmoves.layout import Layout
from whatmoves.plugins import build_model, data_config, data_module, open_source
from whatmoves.study import Study
from whatmoves.training.checkpoint import save_checkpoint

HOSTILE = "</script><script>alert(1)</script> & \"a' <b>"
VAE = {"channels": [4], "motion_channels": [4], "features": 8, "content_dim": 4, "motion_dim": 4, "hidden": 8}
JEPA = {
    "strides": [2, 2, 1], "encoder_width": 4, "latent_channels": 4, "predictor_width": 4, "predictor_levels": 1,
    "projector_width": 8, "steps": 1, "norm": "group",
}  # fmt: skip
DIGITS = {"image_px": 16, "digit_px": 8, "frames": 6, "validation_clips": 8, "test_clips": 30}
TABLE = {"image_px": 16, "frames": 6, "validation_clips": 2, "test_clips": 8, "novel_clips": 2}
SMALL = {"probe_clips": 50, "swap_pairs": 4}


class Toy(NamedTuple):
    """A study, its results, and its page."""

    study: Study
    layout: Layout
    page: Path


def toy(folder: Path, data: dict[str, object], models: dict[str, object], **values: dict[str, object]) -> Toy:
    """Data, checkpoints of fresh weights, their evaluations, and an index of the values given."""
    raw = {"study": "toy", "description": HOSTILE, "seeds": [0], "data": data, "models": models, "evaluation": SMALL}
    study = Study.model_validate(raw)
    layout = Layout(folder / "results/toy")
    for dataset, entry in study.data.items():
        data_module(entry.kind).make(data_config(entry.kind, entry.options), layout.data(dataset))
    for dataset, model, seed in study.runs():
        entry = study.models[model]
        shape = open_source(study.data[dataset].kind, study.data[dataset].options, layout.data(dataset)).shape
        meta = {
            "kind": entry.kind, "options": entry.options, "shape": ClipShape(*shape)._asdict(), "model": model,
            "dataset": dataset, "seed": seed, "best_validation": None, "collapsed": [],
        }  # fmt: skip
        path = layout.checkpoint(dataset, model, seed)
        save_checkpoint(path, build_model(entry.kind, entry.options, shape), meta)
        evaluate(study, dataset, model, {seed: path}, layout.data(dataset), layout.evaluation(dataset, model), "cpu")
    write_json(layout.values, {"study": "toy", **values})
    ours, other = "evaluate/moving_digits/vae", "evaluate/moving_digits/other"
    receipt(layout, "values.receipt.json", ["values.json"], [f"{ours}/quality.json", f"{other}/quality.json"])
    receipt(layout, f"{ours}/receipt.json", [f"{ours}/quality.json"], ["data/moving_digits/test.npz"])
    receipt(layout, f"{other}/receipt.json", [f"{other}/quality.json"], [])
    receipt(layout, "data/moving_digits/receipt.json", ["data/moving_digits/test.npz"], [])
    page = folder / "explorer"
    make_explorer(study, layout, page)
    return Toy(study, layout, page)


def receipt(layout: Layout, name: str, outputs: list[str], inputs: list[str]) -> None:
    """A receipt that says what made some files."""
    core = {"format": 1, "kind": "toy", "wildcards": {}, "code": {"m": "0"}, "settings": {}, "environment": {}}
    run = {
        "command": f"whatmoves {HOSTILE}", "git": None, "versions": {"python": "3"}, "device": "a processor",
        "started": "then", "ended": "later",
    }  # fmt: skip
    files = {"inputs": {key: {} for key in inputs}, "outputs": {key: {} for key in outputs}}
    write_json(layout.root / name, {"core": {**core, **files}, "run": run})


def value(number: float, **more: object) -> dict[str, object]:
    """An entry of the index."""
    made = {"label": HOSTILE, "files": ["evaluate/moving_digits/vae/quality.json"], "seeds": {"0": number}}
    return {"value": number, "interval": [number - 1, number + 1], "unit": "dB", "better": "higher", **made, **more}
