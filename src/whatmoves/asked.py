"""Which models are asked more than the others, by what their kind and their data can do, never by their name."""

from whatmoves.layout import JUDGED_FLOORS, PLANNED_FLOORS, SHIFTED_SETS, judged_rows
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


def planners(study: Study, dataset: str) -> list[str]:
    """The models that plans are asked of on a data set: trained there, predicting, and of a kind that reads actions."""
    needed = {"loss", "predict", "reads_actions"}
    asked = [name for name, entry in study.models.items() if dataset in entry.trains_on]
    return [name for name in asked if needed <= _abilities(study, name)]


def planned_rows(study: Study) -> list[tuple[str, str]]:
    """Every row of plans as (data set, model), and after the models of a data set its floors."""
    models = {dataset: planners(study, dataset) for dataset in study.planned_data()}
    return [(dataset, row) for dataset, names in models.items() if names for row in (*names, PLANNED_FLOORS)]


def _abilities(study: Study, model: str) -> frozenset[str]:
    return abilities_of("models", study.models[model].kind)
