"""The model card of a checkpoint: what it is, what it was trained on, its numbers, its limits, and where it comes from.

Everything is read from the checkpoint, the model's code, the data set's card and what the files beside the checkpoint
prove. What is not known is said, never guessed.
"""

import inspect
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from whatmoves import plugins
from whatmoves.data.cards import card_of
from whatmoves.models.interface import ABILITIES, abilities
from whatmoves.provenance.closure import combined
from whatmoves.training.checkpoint import Loaded
from whatmoves.using.origin import Origin


def model_card(loaded: Loaded, origin: Origin) -> str:
    """The card as Markdown, with the head that model hubs read."""
    meta = loaded.meta
    name = f"{meta['model']} on {meta['dataset']}, seed {meta['seed']}"
    head = ["---", "library_name: whatmoves", "tags:", "- video", f"- {meta['kind']}", "---", "", f"# {name}", ""]
    parts = {
        "What it is": _what(loaded),
        "Data": _data(meta, origin),
        "Training": _training(meta, origin),
        "Numbers": _numbers(origin),
        "Limits": _limits(loaded, origin),
        "Origin": _origin(origin),
        "Use": _use(),
    }
    for title, lines in parts.items():
        head += [f"## {title}", "", *lines, ""]
    return "\n".join(head)


def _what(loaded: Loaded) -> list[str]:
    module = plugins.model_module(loaded.meta["kind"])
    shape = loaded.meta["shape"]
    about = " ".join(inspect.cleandoc(module.__doc__ or "").partition("\n\n")[0].split())
    clip = (
        f"{shape['frames']} frames, {shape['channels']} × {shape['height']} × {shape['width']} (C × H × W), in [0, 1]"
    )
    more = [f"{shape[part]} {part} a frame" for part in ("actions", "states") if shape[part]]
    return [
        *([about, ""] if about else []),
        f"- kind: `{loaded.meta['kind']}`; origin: {getattr(module, 'SOURCE', 'not stated')}",
        f"- can: {', '.join(abilities(loaded.model)) or 'nothing of ' + ', '.join(ABILITIES)}",
        f"- clips: {', '.join([clip, *more])}",
        f"- trainable parameters: {sum(p.numel() for p in loaded.model.parameters() if p.requires_grad):,}",
        f"- options: {_settings(loaded.meta['options'])}",
    ]


def _data(meta: dict[str, Any], origin: Origin) -> list[str]:
    data = origin.data()
    if data is None:
        return [f"A data set that its study called `{meta['dataset']}`; of what kind is not known, without a receipt."]
    lines = [f"- `{data['name']}`: kind `{data['kind']}`; what differs from its defaults: {_settings(data['options'])}"]
    if card := card_of(data["kind"], data["options"]):
        licence = card.licence + (f" ({card.licence_note})" if card.licence_note else "")
        lines += [f"- {card.what}", f"- source: {card.source}; licence: {licence}", f"- splits: {card.splits}"]
    return lines


def _training(meta: dict[str, Any], origin: Origin) -> list[str]:
    lines = [
        f"- seed {meta['seed']}, {meta['clips_seen']:,} clips seen" + (_early(meta) if meta["stopped_early"] else "")
    ]
    if meta["best_validation"] is not None:
        lines.append(
            f"- the weights are those of the best validation, after {meta['best_clips']:,} clips: {_terms(meta)}"
        )
    if origin.receipt:
        lines.append(f"- settings: {_settings(origin.receipt['core']['settings']['training'])}")
    return lines


def _early(meta: dict[str, Any]) -> str:
    return "; stopped before its budget, because validations no longer got better"


def _terms(meta: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:.6g}" for name, value in meta["validation"].items())


def _numbers(origin: Origin) -> list[str]:
    if origin.measured is None:
        return [
            "None: no evaluation of these very weights stands beside the checkpoint. `whatmoves evaluate --checkpoint` "
            "measures them on clips of your own."
        ]
    return [
        "Of this one seed, on the data set's stored test clips. docs/measures.md says what each means and when it "
        "misleads; `legacy_` marks the originals' definitions, flaws included.",
        "",
        "| measure | value |",
        "|---|--:|",
        *(f"| `{name}` | {value:.5g} |" for name, value in origin.measured.items()),
    ]


def _limits(loaded: Loaded, origin: Origin) -> list[str]:
    meta, data = loaded.meta, origin.data()
    cannot = [name for name in ABILITIES if name not in abilities(loaded.model)]
    lines = [
        "- It takes clips of the shape above and no other, and knows nothing but what its data set shows.",
        "- One training: another seed gives other numbers. An interval over seeds is in the study's paper.",
    ]
    if cannot:
        lines.append(f"- It cannot {', '.join(cannot)}.")
    if meta["collapsed"]:
        lines.append(f"- Collapsed: {_names(meta['collapsed'])} carry next to nothing.")
    card = card_of(data["kind"], data["options"]) if data else None
    if card:
        lines.append(f"- Of the data: {card.flaws}.")
    return lines


def _origin(origin: Origin) -> list[str]:
    lines = [f"- exported from a checkpoint with sha256 `{origin.sha256}`"]
    if origin.receipt:
        core, run = origin.receipt["core"], origin.receipt["run"]
        git = run["git"] or {}
        commit = f"`{git['commit']}`" + (" with changes" if git["dirty"] else "") if "commit" in git else "unknown"
        versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
        lines += [
            f"- code `{combined(core['code'])}` ({len(core['code'])} modules), commit {commit}",
            f"- trained {run['started']} to {run['ended']} on {run['device']}, "
            f"arithmetic {core['settings']['arithmetic']}; {versions}",
        ]
    return lines + [f"- not proven: {reason}" for reason in origin.lacking]


def _use() -> list[str]:
    return [
        "```python",
        "from whatmoves.arithmetic.level import set_level",
        'set_level("portable")  # the same bytes everywhere; before anything that computes is imported',
        "from whatmoves.using.exported import load_exported",
        "",
        'model = load_exported("FOLDER").model  # this folder; no study is needed',
        "```",
        "",
        "From the shell: `whatmoves encode FOLDER CLIPS.npz --out codes.npz`, and likewise `sample`, `swap`, `play`, "
        "`evaluate --checkpoint` and `table`.",
    ]


def _settings(options: dict[str, Any]) -> str:
    """Options in words; a path by its last name, since a card is given away."""
    shown = {name: PurePath(value).name if _is_path(value) else value for name, value in options.items()}
    return ", ".join(f"`{name}: {value}`" for name, value in shown.items()) or "none"


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and PurePath(value).is_absolute()


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
