"""Small studies as a user would write them: every model alone, every data set alone and renamed, two of one kind, …

`SMALL` holds them by name. Those of `BUILT` are run to their PDF; together they have every model and data set once,
and what the others have one at a time.
"""

from typing import Any

import yaml
from tools import ROOT

TINY: dict[str, Any] = yaml.safe_load((ROOT / "config/tiny.yaml").read_text(encoding="utf-8"))
DIGITS = {"kind": "moving_digits", **TINY["data"]["moving_digits"]}
TABLE = {"kind": "push_world", **TINY["data"]["push_world"]}
DRIVE = TINY["data"]["drive"]
FLOORS = {"mean_frame": {}, "copy_last": {}}
COST = {
    "training": TINY["training"] | {"clips": 32, "validate_every": 16},
    "evaluation": TINY["evaluation"] | {"judge_frames": 256, "bootstrap": 100},
    "planning": TINY["planning"],
}


def model(name: str, **changes: Any) -> dict[str, Any]:
    """A model of the tiny study, without its label, seeds and data sets."""
    entry = TINY["models"][name]
    return {"kind": entry.get("kind", name), "options": entry["options"], **changes}


def on(name: str, *data: str, **changes: Any) -> dict[str, Any]:
    """A model of the tiny study on these data sets."""
    return model(name, trains_on=list(data), **changes)


def floors(*data: str) -> dict[str, Any]:
    """The floors on these data sets."""
    return {name: {"trains_on": list(data)} for name in FLOORS}


def study(name: str, data: dict[str, Any], models: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A small study of one seed."""
    return {"study": name, "seeds": [0], "data": data, "models": models, **COST, **more}


def with_options(entry: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A data set or a model with other options."""
    return {**entry, "options": {**entry["options"], **options}}


ON_DIGITS = [name for name, entry in TINY["models"].items() if entry.get("options") and "trains_on" not in entry]

SMALL: dict[str, dict[str, Any]] = {
    **{f"{name}_alone": study(f"{name}_alone", {"moving_digits": DIGITS}, {name: model(name)}) for name in ON_DIGITS},
    "digits_renamed": study("digits_renamed", {"digits": DIGITS}, {"ours": model("disentangled_vae"), **FLOORS}),
    "table_alone": study(
        "table_alone",
        {"table": TABLE},
        {"m": model("cvae_push"), "told": with_options(model("cvae_push"), future_states="true")},
    ),
    "table_after": study(
        "table_after", {"table": TABLE, "digits": DIGITS}, {"m": on("baseline_vae", "digits"), **floors("table")}
    ),
    "drive_alone": study("drive_alone", {"road": DRIVE}, {"m": model("tinydreams_drive"), **FLOORS}),
    "two_of_a_kind": study(
        "two_of_a_kind",
        {"easy": DIGITS, "hard": with_options(DIGITS, speed_px=[2, 4], size=[0.8, 1.2], seed=1)},
        {"vae": on("disentangled_vae", "easy", "hard"), "see": on("jepa", "easy", "hard"), **floors("easy", "hard")},
    ),
    "two_recordings": study(
        "two_recordings",
        {"a": DRIVE, "b": with_options(DRIVE, seed=1)},
        {
            "m": on("tinydreams_drive", "a", "b"),
            "pca": {"trains_on": ["a"], "options": TINY["models"]["pca"]["options"]},
        },
    ),
    "floors_alone": study("floors_alone", {"moving_digits": DIGITS}, FLOORS),
    "three_seeds": study(
        "three_seeds", {"moving_digits": DIGITS}, {"lstm_vae": model("lstm_vae")}, seeds=[3, 1, 2147483647]
    ),
    "two_frames": study(
        "two_frames",
        {"moving_digits": {**with_options(DIGITS, frames=2), "past_frames": None}},
        {"vae": model("what_where_vae"), **FLOORS},
    ),
    "three_digits": study(
        "three_digits", {"moving_digits": with_options(DIGITS, digits=3)}, {"vae": model("what_where_vae"), **FLOORS}
    ),
    "colour_without_actions": study(
        "colour_without_actions", {"table": TABLE}, {"vae": model("what_where_push"), "pca": model("pca"), **FLOORS}
    ),
    "unjudged": study(
        "unjudged", {"moving_digits": DIGITS}, {"vae": model("disentangled_vae", judged=False), **FLOORS}
    ),
    "one_judged_of_two": study(
        "one_judged_of_two",
        {"moving_digits": DIGITS},
        {"vae": model("disentangled_vae"), "other": model("baseline_vae", judged=False)},
    ),
    "few_clips": study(
        "few_clips",
        {"moving_digits": with_options(DIGITS, validation_clips=1, test_clips=6)},
        {"vae": model("baseline_vae")},
        evaluation=COST["evaluation"] | {"swap_pairs": 4, "shown_clips": 8},
    ),
    "smallest_pictures": study(
        "smallest_pictures", {"moving_digits": with_options(DIGITS, image_px=12, digit_px=4)}, {"pca": model("pca")}
    ),
}

# Run to their PDF in CI, for want of time a few: those that differ most, and `few_clips` natively (test_levels.py). The
# others did so by hand.
BUILT = ("drive_alone", "two_of_a_kind", "floors_alone")
