"""The value index as the paper reads it: every result by its id, with interval, seeds and the files behind it."""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from whatmoves.errors import PaperError
from whatmoves.files import read_json
from whatmoves.paper.tex import Tex, escape, number

ID_PATTERN = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


class Entry(BaseModel):
    """One result. `interval` holds the ends of the 95 % interval; `seeds` maps a training seed to its own value.

    `floor` names the row that a gain is over.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    value: int | float
    unit: str | None = None
    interval: tuple[float, float] | None = None
    n: int | None = None
    seeds: dict[str, float] = {}
    format: str = ".3f"
    label: str = ""
    better: Literal["higher", "lower", ""] = ""
    floor: str = ""
    own: bool = False  # measured by a module of the study's own
    files: tuple[str, ...] = ()

    @field_validator("format")
    @classmethod
    def _format_formats(cls, text: str) -> str:
        format(1 if text.endswith("d") else 1.0, text)
        return text

    def numeral(self, value: float | None = None) -> str:
        """The value (or another of the same kind) as plain text in this entry's format, without unit."""
        shown = self.value if value is None else value
        return format(round(shown), self.format) if self.format.endswith("d") else format(float(shown), self.format)

    def tex(self, unit: bool = True, interval: bool = False) -> Tex:
        """The formatted value, with its unit and its interval where asked and known."""
        text = number(self.numeral())
        if unit and self.unit and self.unit != "1":
            text = Tex(rf"{text}\,{escape(self.unit)}")
        return Tex(rf"{text}~\interval{{{self.interval_tex()}}}") if interval and self.interval else text

    def interval_tex(self) -> Tex:
        """`[low, high]`, or nothing where no interval is known."""
        if self.interval is None:
            return Tex("")
        low, high = (number(self.numeral(end)) for end in self.interval)
        return Tex(f"[{low}, {high}]")

    def span(self) -> tuple[float, float]:
        """The interval; a value without one (a floor that nothing was trained for) is a point."""
        return self.interval or (float(self.value), float(self.value))


class Verdict(BaseModel):
    """The outcome of one declared hypothesis: `difference` is positive where things are as declared.

    `missing` names values that the study could not measure; `basis` says what decided.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    sentence: str
    verdict: Literal["supported", "not supported", "undecided"]
    primary: bool = False
    values: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    basis: str = ""
    detail: str = ""
    difference: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    seeds: int | None = None

    def entries(self, values: Mapping[str, Entry]) -> dict[str, Entry]:
        """The verdict's own numbers as values `hypotheses.<id>.difference` and `.p`: they link like all others."""
        measured = next((values[name] for name in self.values if name in values), None)
        if measured is None or self.difference is None:
            return {}
        prefix = f"hypotheses.{self.id}"
        difference = measured.model_copy(
            update={
                "value": self.difference, "interval": self.interval, "seeds": {}, "n": self.seeds,
                "label": "difference as declared", "files": ("values.json",),
            }
        )  # fmt: skip
        found = {f"{prefix}.difference": difference}
        if self.p is not None:
            found[f"{prefix}.p"] = Entry(
                value=self.p, format=".3f", label="p value", n=self.seeds, files=("values.json",)
            )
        return found


class Stands(BaseModel):
    """How the rows of a measure on a data set stand to each other: line i, column j of `table` is row i to row j."""

    rows: tuple[str, ...]
    table: tuple[str, ...]


class _File(BaseModel):
    study: str
    values: dict[str, Entry]
    stands: dict[str, Stands] = {}
    verdicts: tuple[Verdict, ...] = ()
    missing: dict[str, str] = {}
    arithmetic: dict[str, str] = {}


class ValueIndex(Mapping[str, Entry]):
    """Results by id, in the file's order, with the verdicts and the reasons for what could not be measured."""

    def __init__(
        self,
        study: str,
        entries: Mapping[str, Entry],
        verdicts: tuple[Verdict, ...] = (),
        missing: Mapping[str, str] | None = None,
        stands: Mapping[str, Stands] | None = None,
    ) -> None:
        self.study = study
        self.verdicts = {verdict.id: verdict for verdict in verdicts}
        self.missing = dict(missing or {})
        self._stands = dict(stands or {})
        self._entries = dict(entries)

    def __getitem__(self, value_id: str) -> Entry:
        """The entry; raises `PaperError` with the nearest ids for an unknown one."""
        try:
            return self._entries[value_id]
        except KeyError:
            raise PaperError(f"no value {value_id!r} in the value index; {nearest(value_id, self)}") from None

    def __contains__(self, value_id: object) -> bool:
        return value_id in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def stand(self, first: str, second: str) -> str:
        """Where one value stands to another of that measure and data set: `>`, `<`, `=` (not to be told apart), or `?`
        (one trained run decides nothing).

        Raises `PaperError` for values that the analysis did not compare.
        """
        (dataset, row, metric), (*_, other, _) = first.split(".", 2), second.split(".", 2)
        found = self._stands.get(f"{dataset}.{metric}")
        if found is None or not {row, other} <= set(found.rows) or second != f"{dataset}.{other}.{metric}":
            raise PaperError(f"{first} and {second} were not compared; compare values of one measure and data set")
        return found.table[found.rows.index(row)][found.rows.index(other)]

    def own(self, dataset: str) -> dict[str, Entry]:
        """The study's own measures on a data set by name, each with one of its values, of the first row that has it."""
        found: dict[str, Entry] = {}
        for key, entry in self.items():
            if entry.own and key.startswith(f"{dataset}."):
                found.setdefault(key.rpartition(".")[2], entry)
        return found

    def shifts(self, dataset: str, what: str) -> list[str]:
        """The shifts of a data set on which anything was measured, of one measure."""
        pattern = re.compile(rf"{dataset}\.[^.]+\.shift_lost_([a-z]+)_{what}")
        return list(dict.fromkeys(found[1] for value_id in self if (found := pattern.fullmatch(value_id))))

    def has_metric(self, dataset: str, metric: str) -> bool:
        """Whether anything on that data set was measured by that metric."""
        return any(re.fullmatch(rf"{dataset}\.[^.]+\.{metric}", value_id) for value_id in self)


def nearest(name: str, known: Mapping[str, object]) -> str:
    """The end of an error message: the names most like `name`."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"nearest: {', '.join(close)}" if close else f"it holds {len(known)} others, none like it"


def read_index(path: Path) -> ValueIndex:
    """Read `values.json`; raises `PaperError` naming the id and field that are not as agreed."""
    try:
        content = _File.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PaperError(f"{path}: {where}: {first['msg']}; run the analysis again") from None
    for value_id in content.values:
        if not ID_PATTERN.fullmatch(value_id):
            raise PaperError(f"{path}: value id {value_id!r} must be lower-case words joined by dots; rename it")
    tested = {key: entry for verdict in content.verdicts for key, entry in verdict.entries(content.values).items()}
    return ValueIndex(content.study, content.values | tested, content.verdicts, content.missing, content.stands)
