"""The suite for anybody's codes: an `.npz` in, every score with its settings and versions out.

The same functions score the models of the paper. InfoMEC (Hsu et al. 2023) is left out with a reason: its modularity
and compactness average over dimensions without weights, so noise dimensions lift them to 0.7 and more; a dimension
without information makes them NaN; its range rule drops true dimensions of small scale; and its nearest-neighbour
information collapses on wide codes. What it asks is answered here by weighted modularity, held-out DCI and
usable information.
"""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from whatmoves.codes import probes
from whatmoves.codes.blocks import block_scores
from whatmoves.codes.codes_file import CODE_BINS, FACTOR_BINS, Coded, named, read_codes
from whatmoves.codes.dci import dci
from whatmoves.codes.dependence import MOST_ROWS, PERMUTATIONS, dependence
from whatmoves.codes.explicitness import explicitness
from whatmoves.codes.mig import mig
from whatmoves.codes.modularity import modularity
from whatmoves.codes.random_splits import random_splits
from whatmoves.codes.reference import reference_classes, reference_scores
from whatmoves.codes.sap import sap
from whatmoves.codes.splits import WIDEST_CODE, learned_split, reduced

SEED = 0
LITTLE = 0.05  # informativeness under which the other parts of DCI are told to mean nothing; noise reaches 0.03
NOT_COMPUTED = {"infomec": "unweighted means over dimensions, NaN for dead ones; see whatmoves.codes.score"}


def score_file(path: Path, reference: bool = False) -> dict[str, Any]:
    """Every score of the codes in `path`, as values that JSON can hold; with `reference` the original definitions too.

    The file holds `codes` `[N, D]`, `factors` `[N, K]` and `factor_kinds` `[K]` ("discrete" or "continuous");
    optionally `n_train` (the first rows are for training; two thirds when absent), `factor_names` `[K]`,
    `content_factors` and `motion_factors` (indices or names), and `content_dims` and `motion_dims` (indices).
    Raises `DataError` when something is missing, not finite, constant, too short or out of range. What scores and yet
    misleads (outliers, sorted rows) is told under `warnings`, in sentences.
    """
    coded = read_codes(path)
    train, test = coded.halves
    if reference:  # before any long work
        with named(path):
            reference_classes(train.factors, test.factors, coded.kinds, coded.names)
    result: dict[str, Any] = {
        "file": path.name,
        "factors": dict(zip(coded.names, coded.kinds, strict=True)),
        "dead_dims": np.flatnonzero(np.ptp(coded.rows.codes, axis=0) == 0).tolist(),
        "warnings": [*coded.warnings, *_of_units(coded, reference)],
        "settings": _settings(coded),
        "versions": _versions(),
        "not_computed": dict(NOT_COMPUTED),
        "per_dimension": per_dimension(coded),
        **_by_block(coded),
    }
    result["warnings"] += _of_little_told(result["per_dimension"]["dci"])
    if coded.roles is not None and coded.blocks is None and "learned_split" not in result:
        result["not_computed"]["learned_split"] = "fewer than two directions in which the codes vary: nothing to split"
    if reference:
        scores = reference_scores(train, test, coded.kinds, min(os.cpu_count() or 1, len(coded.kinds)))
        result["reference"] = plain(scores)
    return result


def _of_little_told(found: dict[str, Any]) -> list[str]:
    """DCI's first two parts say how what is told is spread: where next to nothing is, they are chance of any size."""
    if found["informativeness"] >= LITTLE:
        return []
    parts = ", ".join(f"{name} {found[name]:.3f}" for name in ("informativeness", "disentanglement", "completeness"))
    return [f"dci: {parts}: with informativeness under {LITTLE} the other two mean nothing"]


def per_dimension(coded: Coded) -> dict[str, Any]:
    """MIG, SAP, DCI, modularity and explicitness of `coded`; what is fitted is fitted on its training rows."""
    train, test = coded.halves
    codes, factors = coded.rows
    scores = {
        "mig": mig(codes, factors, coded.kinds, CODE_BINS, FACTOR_BINS),
        "sap": sap(train, test, coded.kinds),
        "dci": dci(train, test, coded.kinds, np.random.default_rng(SEED)),
        "modularity": modularity(codes, factors, coded.kinds, np.random.default_rng(SEED), CODE_BINS, FACTOR_BINS),
        "explicitness": explicitness(train, test, coded.kinds, FACTOR_BINS),
    }
    found: dict[str, Any] = plain(scores)
    del found["dci"]["importances"]  # [D, K] numbers that nobody reads in a score file
    return found


def plain(value: Any) -> Any:
    """`value` with named tuples as dictionaries and arrays as lists, for JSON."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def as_text(result: dict[str, Any]) -> str:
    """The scores of `score_file` for a person: one `name value` a line, tables left to the JSON."""
    lines: list[str] = []

    def walk(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                walk(f"{name}.{key}" if name else key, item)
        elif isinstance(value, (int, float)):
            lines.append(f"{name:<48} {value:8.4f}")

    sections = ("reference", "blocks", "dependence", "learned_split", "random_splits", "per_dimension")
    walk("", {key: result[key] for key in sections if key in result})
    return "\n".join(lines)


def _by_block(coded: Coded) -> dict[str, Any]:
    """What can be said of blocks: of given ones, of found ones, or of the whole code where no roles are known."""
    train, validation, test = coded.parts
    rng = np.random.default_rng(SEED)
    if coded.blocks is not None and coded.roles is not None:
        scores = block_scores(train, validation, test, coded.kinds, coded.blocks, coded.roles, rng)
        content, motion = (test.codes[:, dims] for dims in coded.blocks)
        return {"blocks": plain(scores), "dependence": plain(dependence(content, motion, rng))}
    projection = reduced(train.codes)
    if projection is not None:
        train, validation, test = (projection(part) for part in (train, validation, test))
    whole = probes.usable_information(train, validation, test, coded.kinds, rng)
    found = {"whole_code": {**plain(whole), "reduced_by_pca": projection is not None}}
    if coded.roles is None:
        return found
    split = learned_split(train, coded.kinds, coded.roles)
    if not all(len(block) for block in split.blocks):
        return found
    turned = [split.projection(part) for part in (train, validation, test)]
    learned = block_scores(turned[0], turned[1], turned[2], coded.kinds, split.blocks, coded.roles, rng)
    content, motion = (turned[2].codes[:, dims] for dims in split.blocks)
    return {
        **found,
        "learned_split": {**plain(learned), "dependence": plain(dependence(content, motion, rng))},
        "random_splits": plain(random_splits(train, validation, test, coded.kinds, coded.roles, rng)),
    }


def _of_units(coded: Coded, reference: bool) -> list[str]:
    """The originals' definitions depend on units, so that a change of them is said."""
    told = "reference: sap_svm depends on the scale of codes, which is far from 1 here: it is of codes scaled to it"
    return [told] if reference and coded.other_units else []


def _settings(coded: Coded) -> dict[str, Any]:
    train, validation, test = (len(part.codes) for part in coded.parts)
    return {
        "rows": {
            "all": len(coded.rows.codes),
            "train": coded.train_count,
            "probe_train": train,
            "probe_validation": validation,
            "test": test,
        },
        "code_bins": CODE_BINS,
        "code_binning": "equal width",
        "factor_bins": FACTOR_BINS,
        "factor_binning": "equal frequency (reference: equal width)",
        "probes": list(probes.FAMILIES),
        "seed": SEED,
        "dependence_rows": min(MOST_ROWS, test),
        "permutations": PERMUTATIONS,
        "widest_code": WIDEST_CODE,
    }


def _versions() -> dict[str, str]:
    packages = ("whatmoves", "numpy", "scipy", "scikit-learn", "torch")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}
