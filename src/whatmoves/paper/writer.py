"""What the templates call. Every result passes through `Writer.value`, which formats, links and records it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from whatmoves.errors import PaperError
from whatmoves.files import read_arrays
from whatmoves.floors import FRAMES, UNTRAINED, UNTRAINED_BEFORE
from whatmoves.layout import NOTHING, figure_name
from whatmoves.paper import comparisons
from whatmoves.paper.index import Entry, ValueIndex, Verdict, nearest
from whatmoves.paper.printed import numerals
from whatmoves.paper.tables import Column, Row, results_table
from whatmoves.paper.tex import Tex, code, count, escape, listing, number
from whatmoves.study import ModelEntry, Study


class Writer:
    """The functions that templates may call, and the record of what they used.

    `used` holds value ids and `figures_used` figure names in the order of first use; both are read by the appendix.
    `said` are numerals of neither values nor settings: how many there are of something, and those of tables' headings.
    `empty_figures` are those for which the results hold nothing, each with the reason.
    """

    def __init__(self, study: Study, index: ValueIndex, figures: Path) -> None:
        if index.study != study.study:
            raise PaperError(f"values.json is of study {index.study!r}, not {study.study!r}; run the analysis again")
        self.study = study
        self.index = index
        self.figures = figures
        self.empty_figures = _empty(figures)
        self.used: dict[str, None] = {}
        self.figures_used: dict[str, None] = {}
        self.said: set[str] = set()
        self._settings = dict(_leaves(study.model_dump(mode="json")))
        self._closed = False

    # Models and data sets -------------------------------------------------------------------------------------------

    def models(self, dataset: str | None = None) -> dict[str, ModelEntry]:
        """The study's models by name without floors and ceilings, all or those trained on a data set."""
        return {
            name: entry
            for name, entry in self.study.models.items()
            if entry.kind not in FRAMES and (dataset is None or dataset in entry.trains_on)
        }

    def leaders(self, dataset: str | None = None) -> dict[str, ModelEntry]:
        """The first model of every kind; what follows of that kind are its `variants`."""
        models = self.models(dataset)
        first = {entry.kind: name for name, entry in reversed(models.items())}
        return {name: entry for name, entry in models.items() if first[entry.kind] == name}

    def headline(self, dataset: str | None = None) -> dict[str, ModelEntry]:
        """The models to name where there is no room for all: the leaders, or all of a study of one kind."""
        return self.leaders(dataset) if len(self.leaders()) > 1 else self.models(dataset)

    def variants(self, model: str) -> Tex:
        """The study's other models of that kind, each with its data and size, as a list in words."""
        found: list[Tex] = []
        for name, entry in self.models().items():
            if entry.kind == self.study.models[model].kind and name != model:
                of = [f"{dataset}.{name}.parameters" for dataset in entry.trains_on]
                sizes = [f"{self.value(value_id)} parameters" for value_id in of[:1] if value_id in self.index]
                found.append(Tex(f"{self.label(name)} ({', '.join([f'on {code(entry.trains_on[0])}', *sizes])})"))
        return listing(found)

    def unjudged(self, dataset: str) -> Tex:
        """The models there whose codes and swaps the study leaves unjudged, as a list in words; empty where none."""
        return listing(self.label(name) for name, entry in self.models(dataset).items() if not entry.judged)

    def without(self, dataset: str, metric: str) -> Tex:
        """The models there that have no such value, as a list in words; empty where all have one."""
        return listing(
            self.label(name) for name in self.models(dataset) if f"{dataset}.{name}.{metric}" not in self.index
        )

    def label(self, model: str) -> Tex:
        """A model's, floor's or ceiling's name in prose and tables."""
        return escape(self._label(model))

    def labels(self) -> Tex:
        """The labels of the `headline` models, as a list in words."""
        return listing(self._label(name) for name in self.headline())

    def rows(self, dataset: str) -> list[Row]:
        """Models in the study's order, then floors and ceilings in the order of `FRAMES`."""
        kinds = {name: entry.kind for name, entry in self.study.models.items() if dataset in entry.trains_on}
        measured = {key.split(".")[1] for key in self.index if key.startswith(f"{dataset}.")}
        framing = {name for name in measured - kinds.keys() if name in FRAMES or name.startswith(UNTRAINED)}
        references = {name for name, kind in kinds.items() if kind in FRAMES} | framing
        order = [*FRAMES]
        middle = order.index(UNTRAINED_BEFORE)

        def place(name: str) -> tuple[float, str]:
            return (middle - 0.5 if name.startswith(UNTRAINED) else order.index(kinds.get(name, name)), name)

        framed = sorted(references, key=place)
        names = [name for name in kinds if name not in references]
        return [Row(name, self._label(name)) for name in names] + [Row(n, self._label(n), True) for n in framed]

    def floors(self, dataset: str, metric: str) -> list[str]:
        """The floors and ceilings that were measured by that metric."""
        return [
            row.name for row in self.rows(dataset) if row.reference and f"{dataset}.{row.name}.{metric}" in self.index
        ]

    def floors_in_words(self) -> dict[Tex, str]:
        """What the study's floors do that are models, by label, in the order of `FRAMES`."""
        order = [*FRAMES]
        names = [name for name, entry in self.study.models.items() if entry.kind in FRAMES]
        names = sorted(names, key=lambda name: order.index(self.study.models[name].kind))
        said = {self.label(name): FRAMES[self.study.models[name].kind].says for name in names}
        return {label: says for label, says in said.items() if says}

    # Values ---------------------------------------------------------------------------------------------------------

    def has(self, value_id: str) -> bool:
        """Whether the index holds that id."""
        return value_id in self.index

    def anywhere(self, metric: str) -> bool:
        """Whether anything on any data set of the study was measured by that metric."""
        return any(self.index.has_metric(dataset, metric) for dataset in self.study.data)

    def value(self, value_id: str, interval: bool = False, unit: bool = True) -> Tex:
        """A result, formatted and linked to its entry in the appendix; its first use is the target of the way back.

        Raises `PaperError` with the nearest ids for an unknown one.
        """
        entry = self.index[value_id]
        if self._closed:
            raise PaperError(f"value {value_id!r} is used after the value appendix; move the appendix to the end")
        anchor = "" if value_id in self.used else rf"\anchor{{use:{value_id}}}"
        self.used.setdefault(value_id)
        return Tex(rf"{anchor}\result{{{value_id}}}{{{entry.tex(unit, interval)}}}")

    def seeds_behind(self, value_id: str) -> tuple[str, ...]:
        """The training seeds that have such a number of their own."""
        return tuple(self.index[value_id].seeds)

    def compared(self, first: str, second: str) -> Tex:
        """`above`, `below` or `not distinguishable from`: where the first value stands."""
        return Tex(comparisons.relation(self.index, first, second))

    def beside_zero(self, value_id: str) -> str:
        """The same of a difference against zero; one without an interval, such as a single seed's, decides nothing."""
        return comparisons.beside_zero(self.index[value_id])

    def floor_of(self, value_id: str) -> str:
        """The floor that a gain is over; raises `PaperError` for a value that is over none."""
        floor = self.index[value_id].floor
        if not floor:
            raise PaperError(f"value {value_id!r} is over no floor; ask it of a gain")
        return floor

    def standings(self, dataset: str, metric: str) -> Tex:
        """Where models stand against every floor and ceiling; those that stand alike share a clause."""
        floors = [f"{dataset}.{floor}.{metric}" for floor in self.floors(dataset, metric)]
        groups: dict[tuple[str, ...], list[Tex]] = {}
        for model in self.models(dataset):
            value_id = f"{dataset}.{model}.{metric}"
            if value_id in self.index:
                stands = tuple(comparisons.relation(self.index, value_id, floor) for floor in floors)
                member = Tex(rf"\textbf{{{self.label(model)}}} ({self.value(value_id)})")
                groups.setdefault(stands, []).append(member)
        return Tex("; ".join(self._standing(members, floors, stands) for stands, members in groups.items()))

    def _standing(self, members: list[Tex], floors: list[str], stands: tuple[str, ...]) -> Tex:
        lower = bool(floors) and self.index[floors[0]].better == "lower"
        better, worse = ("below", "above") if lower else ("above", "below")
        groups: dict[str, list[Tex]] = {}
        for floor, stand in zip(floors, stands, strict=True):
            groups.setdefault(stand, []).append(Tex(rf"\emph{{{self.label(floor.split('.')[1])}}}"))
        words = {better: "better than", "not distinguishable from": "not distinguishable from", worse: "worse than"}
        words["not compared with"] = "of one seed, and not compared with"
        clauses = [f"{word} {listing(groups[stand])}" for stand, word in words.items() if stand in groups]
        return Tex(f"the {listing(members)} {'is' if len(members) == 1 else 'are'} {', and '.join(clauses)}")

    def against_zero(self, dataset: str, metric: str) -> dict[str, Tex]:
        """Models by where a difference of theirs stands against zero (`beside_zero`), each with the difference."""
        groups: dict[str, list[Tex]] = {}
        for model in self.models(dataset):
            value_id = f"{dataset}.{model}.{metric}"
            if value_id in self.index:
                member = Tex(rf"\textbf{{{self.label(model)}}} ({self.value(value_id, interval=True)})")
                groups.setdefault(self.beside_zero(value_id), []).append(member)
        return _listed(groups)

    def against_untrained(self, dataset: str, metric: str) -> dict[str, Tex]:
        """Models of several seeds by where they stand against their own architecture with fresh weights."""
        groups: dict[str, list[Tex]] = {}
        for model in self.models(dataset):
            trained, fresh = f"{dataset}.{model}.{metric}", f"{dataset}.{UNTRAINED}{model}.{metric}"
            if trained in self.index and fresh in self.index and self.index[trained].interval is not None:
                stand = comparisons.relation(self.index, trained, fresh)
                member = Tex(f"{self.label(model)} ({self.value(trained)}, untrained {self.value(fresh)})")
                groups.setdefault(stand, []).append(member)
        return _listed(groups)

    def setting(self, path: str) -> Tex:
        """A setting of the study by its dotted path, linked to the table of settings."""
        if path not in self._settings:
            raise PaperError(f"no setting {path!r} in study {self.study.study!r}; {nearest(path, self._settings)}")
        return Tex(rf"\settinglink{{{path}}}{{{_shown(self._settings[path])}}}")

    def has_setting(self, path: str) -> bool:
        """Whether the study states that setting."""
        return path in self._settings

    def count(self, things: int | Iterable[object]) -> Tex:
        """How many, in words up to twelve."""
        counted = count(things)
        self.said |= numerals(counted)
        return counted

    # Tables and figures ---------------------------------------------------------------------------------------------

    def table(self, name: str, dataset: str, columns: list[Column], caller: Callable[[], str]) -> Tex:
        """A float with models as rows; the block's text is its caption, to which the rule of bold type is added."""

        def cell(value_id: str, interval: bool) -> Tex:
            return self.value(value_id, interval=interval, unit=False)

        tabular, competing = results_table(self.index, dataset, self.rows(dataset), columns, cell)
        self.said |= numerals(" ".join(column.header for column in columns))
        caption = caller().strip()
        if competing:
            rule = comparisons.rule_in_words(self.index, competing)
            caption += f" Bold: the best model of several seeds and those not told apart from it by {rule}."
        return Tex(
            "\\begin{table}[htbp]\n\\centering\\tablestyle\n"
            f"\\caption{{{caption}}}\\label{{tab:{name}}}\n{tabular}\\end{{table}}"
        )

    def own_columns(self, dataset: str) -> list[Column]:
        """A column for each of the study's own measures on a data set, of what it was asked of."""
        return [
            Column(name, name.replace("_", " ").capitalize(), entry.better, "it makes no such clips", interval=True)
            for name, entry in self.index.own(dataset).items()
        ]

    def figure(self, name: str, caller: Callable[[], str]) -> Tex:
        """A float with `figures/<name>.pdf`, linked to its entry in the appendix; the block's text is its caption."""
        if not (self.figures / f"{name}.pdf").is_file():
            raise PaperError(f"{self.figures / name}.pdf: no such figure; run the step that draws it")
        self.figures_used.setdefault(name)
        return Tex(
            "\\begin{figure}[htbp]\n\\centering\n"
            f"\\anchor{{usefigure:{name}}}\\figurelink{{{name}}}\n"
            f"\\caption{{{caller().strip()}}}\\label{{fig:{name}}}\n\\end{{figure}}"
        )

    def see_figure(self, name: str) -> Tex:
        """A reference to a figure whose name is only known here; one that is not shown fails the build."""
        return Tex(rf"\cref{{fig:{name}}}")

    def figure_of(self, module: str, dataset: str) -> str:
        """The name of a figure of one data set."""
        return figure_name(self.study, module, dataset)

    def has_figure(self, name: str) -> bool:
        """Whether the study drew that figure, and there was something to draw."""
        return (self.figures / f"{name}.pdf").is_file() and name not in self.empty_figures

    # Verdicts -------------------------------------------------------------------------------------------------------

    def verdicts(self, verdict: str | None = None) -> list[Verdict]:
        """All verdicts in the declared order, or those of one kind."""
        return [found for found in self.index.verdicts.values() if verdict in (None, found.verdict)]

    def has_verdict(self, hypothesis: str) -> bool:
        """Whether the hypothesis was tested: one whose models the study lacks was not."""
        return hypothesis in self.index.verdicts

    def verdict(self, hypothesis: str) -> Tex:
        """A hypothesis in its declared words with its verdict and the values behind it."""
        if hypothesis not in self.index.verdicts:
            raise PaperError(f"no verdict on {hypothesis!r}; {nearest(hypothesis, self.index.verdicts)}")
        found = self.index.verdicts[hypothesis]
        evidence = self.evidence(found)
        tail = f" ({evidence})" if evidence else ""
        return Tex(rf"\hypothesis{{{escape(found.sentence.rstrip('.'))}}} is \verdict{{{found.verdict}}}{tail}")

    def evidence(self, verdict: Verdict) -> Tex:
        """What a verdict rests on: the difference with its interval and p value, or the values themselves."""
        prefix = f"hypotheses.{verdict.id}"
        parts: list[Tex] = []
        if f"{prefix}.difference" in self.index:
            parts.append(Tex(f"difference {self.value(f'{prefix}.difference', interval=True)}"))
            if f"{prefix}.p" in self.index:
                parts.append(Tex(f"$p$ = {self.value(f'{prefix}.p')}"))
        else:
            parts += [self.value(value_id, interval=True) for value_id in verdict.values if value_id in self.index]
        return Tex("; ".join([*parts, escape(verdict.detail)] if verdict.detail else parts))

    # Appendix -------------------------------------------------------------------------------------------------------

    def used_values(self) -> dict[str, list[tuple[str, Entry]]]:
        """Values used so far, as (id, entry) under `<data set>.<model>`, in the tables' order; no more after this."""
        self._closed = True
        order = [f"{dataset}.{row.name}" for dataset in self.study.data for row in self.rows(dataset)]
        groups: dict[str, list[tuple[str, Entry]]] = {prefix: [] for prefix in order}
        for value_id in self.used:
            groups.setdefault(value_id.rpartition(".")[0], []).append((value_id, self.index[value_id]))
        return {prefix: entries for prefix, entries in groups.items() if entries}

    def all_settings(self) -> dict[str, Tex]:
        """Every setting of the study by its dotted path, without those that are not set."""
        return {path: _shown(value) for path, value in self._settings.items() if value is not None}

    def _label(self, model: str) -> str:
        entry = self.study.models.get(model)
        if entry is None or (entry.label is None and entry.kind in FRAMES):
            if entry is None and model.startswith(UNTRAINED):
                return f"untrained {self._label(model.removeprefix(UNTRAINED))}"
            kind = model if entry is None else entry.kind
            return FRAMES[kind].label if kind in FRAMES else model.replace("_", " ")
        return self.study.label_of(model)


def _empty(figures: Path) -> dict[str, str]:
    """The figures for which the results hold nothing, each with the reason."""
    reasons = {path.stem: read_arrays(path).get(NOTHING) for path in sorted(figures.glob("*.npz"))}
    return {name: str(reason) for name, reason in reasons.items() if reason is not None}


def _listed(groups: Mapping[str, list[Tex]]) -> dict[str, Tex]:
    return {name: listing(members) for name, members in groups.items()}


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        elif value != {}:
            yield f"{prefix}{key}", value


def _shown(value: Any) -> Tex:
    match value:
        case None:
            return Tex("none")
        case bool():
            return Tex("yes" if value else "no")
        case int() | float():
            return number(format(value, "d" if isinstance(value, int) else "g"))
        case list() | tuple():
            return Tex(", ".join(_shown(item) for item in value)) if value else Tex("none")
        case _:
            return code(str(value)) if re.fullmatch(r"[\w./]+", str(value)) else escape(str(value))
