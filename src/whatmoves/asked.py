"""Which models are asked more than the others, by what their kind and their data can do, never by their name."""

from whatmoves.layout import JUDGED_FLOORS, SHIFTED_SETS, judged_rows
from whatmoves.loading import abilities_of
from whatmoves.study import Study


def exchanged_rows(study: Study, dataset: str) -> list[str]:
    """Every model of a judged data set of one digit a clip that draws clips from codes, then the floors; or nothing."""
    entry = study.data[dataset]
    if dataset not in study.judged_data() or entry.options.get("digits", 1) != 1:
        return []
    able = [row for row in judged_rows(study, dataset)[:-1] if {"encode", "decode"} <= _abilities(study, row)]
    return [*able, JUDGED_FLOORS] if able else []


def shifted_rows(study: Study, dataset: str) -> list[str]:
    """Every judged model trained on a data set whose kind draws shifted clips, then the sets; or nothing."""
    if "shift" not in abilities_of("data", study.data[dataset].kind):
        return []
    able = [row for row in judged_rows(study, dataset)[:-1] if "loss" in _abilities(study, row)]
    return [*able, SHIFTED_SETS] if able else []


def _abilities(study: Study, model: str) -> frozenset[str]:
    return abilities_of("models", study.models[model].kind)
