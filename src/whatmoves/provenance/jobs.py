"""What each job depends on (`whatmoves.provenance.kinds` has the table), shared by rules, commands and `verify`.

A job's fingerprint has three parts, kept apart so that the reason of a rerun names its cause:

    code         hashes of the modules it runs: its entry module, and of models and data sets only those it uses
    settings     the part of the study it reads, resolved to plain JSON
    environment  the pinned versions (requirements.txt) of the packages that this code imports

A package that only other packages import is not seen. A receipt records what was installed beside what was pinned, and
`verify` compares the two.
"""

import functools
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whatmoves.asked import exchanged_rows, planned_rows, shifted_rows
from whatmoves.layout import PLANNED_FLOORS
from whatmoves.provenance.closure import Tree, source_folder
from whatmoves.provenance.kinds import KINDS
from whatmoves.study import Study

# Everything a job takes from the study stands in its settings, so the text of the types need not count as its code.
SPELLED_OUT = ("whatmoves.study",)

SYNTAX = Path(".cache/syntax")
"""Where a run keeps what source files mean, so that no job of it reads their syntax again."""

# What every job computes with, at the study's level of instructions.
ARITHMETIC, KERNELS = "whatmoves.arithmetic.level", "whatmoves.arithmetic.kernels"

# Import names that differ from the name of the distribution.
DISTRIBUTIONS = {"PIL": "pillow", "yaml": "pyyaml", "sklearn": "scikit-learn", "skimage": "scikit-image"}


@dataclass(frozen=True)
class Fingerprint:
    """What one job depends on."""

    kind: str
    wildcards: dict[str, str]
    code: dict[str, str]  # module → hash
    settings: dict[str, Any]  # plain JSON
    environment: dict[str, str]  # distribution → pinned version

    @property
    def code_digest(self) -> str:
        """The code as one short hash."""
        return short(self.code)

    @property
    def settings_text(self) -> str:
        """The settings as canonical JSON."""
        return canonical(self.settings)

    @property
    def environment_text(self) -> str:
        """The environment as canonical JSON."""
        return canonical(self.environment)

    @property
    def digest(self) -> str:
        """Code, settings and environment as `<hex>-<hex>-<hex>`: what a job expects; names work folders."""
        return f"{short(self.code)}-{short(self.settings)}-{short(self.environment)}"


def fingerprint(study: Study, kind: str, /, **wildcards: str | int) -> Fingerprint:
    """What one job depends on, in the tree that is running; see `read_fingerprint`."""
    return read_fingerprint(study, kind, wildcards)


def read_fingerprint(
    study: Study, kind: str, wildcards: Mapping[str, str | int], source: Path | None = None, tree: Tree | None = None
) -> Fingerprint:
    """What one job depends on, read from the tree as it is now.

    `source` holds the package (default: the running one); requirements.txt lies above it. Who asks for many jobs at
    once gives the `tree` of that folder, in which files are read once. Raises `ProofError` for code
    that cannot be followed and `ConfigError` for a data set or model that the study lacks.
    """
    source = source or source_folder()
    tree = tree or Tree(source)
    described = KINDS[kind]
    texts = {name: str(value) for name, value in wildcards.items()}
    modules = [*described.modules(study, texts), ARITHMETIC]
    traced = tree.trace(modules, without=SPELLED_OUT)
    if "torch" in traced.foreign:  # PyTorch itself imports the kernels: no import of ours shows it
        traced = tree.trace([*modules, KERNELS], without=SPELLED_OUT)
    pins = pinned(source.parent)
    names = {_distribution(name) for name in traced.foreign}
    return Fingerprint(
        kind=kind,
        wildcards=texts,
        code=traced.modules,
        settings={"arithmetic": study.arithmetic, **described.settings(study, texts)},
        environment={name: pins[name] for name in sorted(names) if name in pins},
    )


def receipt_of(kind: str, **wildcards: str | int) -> str:
    """Where a job's receipt stands, relative to results/<study>."""
    return KINDS[kind].receipt.format(**wildcards)


def expected_jobs(study: Study) -> list[tuple[str, dict[str, str]]]:
    """Every job that the study itself names, as (kind, wildcards); figures are named by the paper's receipt."""
    pairs = list(dict.fromkeys((dataset, model) for dataset, model, _ in study.runs()))
    jobs: list[tuple[str, dict[str, str]]] = [("data", {"dataset": dataset}) for dataset in study.data]
    jobs += [("train", {"dataset": d, "model": m, "seed": str(s)}) for d, m, s in study.runs()]
    jobs += [("evaluate", {"dataset": dataset, "model": model}) for dataset, model in pairs]
    judged = study.judged_data()
    jobs += [(kind, {"dataset": dataset}) for dataset in judged for kind in ("judges", "judge_floors")]
    jobs += [
        ("judge", {"dataset": dataset, "model": model})
        for dataset, model in pairs
        if dataset in judged and study.models[model].judged
    ]
    jobs += [
        ("plan_floors", {"dataset": dataset}) if row == PLANNED_FLOORS else ("plan", {"dataset": dataset, "model": row})
        for dataset, row in planned_rows(study)
    ]
    for dataset in judged:
        rows = exchanged_rows(study, dataset)
        jobs += [("exchange", {"dataset": dataset, "model": row}) for row in rows[:-1]]
        jobs += [("exchange_floors", {"dataset": dataset}) for _ in rows[-1:]]
    for dataset in study.data:
        rows = shifted_rows(study, dataset)
        jobs += [("shift", {"dataset": dataset, "model": row}) for row in rows[:-1]]
        jobs += [("shift_sets", {"dataset": dataset}) for _ in rows[-1:]]
    return [*jobs, ("analyse", {}), ("paper", {})]


def pinned(project: Path) -> dict[str, str]:
    """Distribution → version as requirements.txt in `project` pins them; empty where there is none."""
    path = project / "requirements.txt"
    return _pins(path.read_text(encoding="utf-8")) if path.is_file() else {}


@functools.lru_cache
def _pins(text: str) -> dict[str, str]:
    lines = re.findall(r"^([A-Za-z0-9._-]+)\s*==\s*([^\s;#\\]+)", text, re.MULTILINE)
    return {_distribution(name): version for name, version in lines}


def canonical(value: Any) -> str:
    """JSON on one line with sorted keys: equal values give equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def short(value: Any) -> str:
    """A plain value as twelve hex digits."""
    return hashlib.blake2b(canonical(value).encode(), digest_size=6).hexdigest()


def _distribution(name: str) -> str:
    return re.sub(r"[-_.]+", "-", DISTRIBUTIONS.get(name, name)).lower()
