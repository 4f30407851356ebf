"""Published numbers beside ours, only where data, split and measure are the same (paper/published.yaml)."""

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from whatmoves.errors import PaperError
from whatmoves.paper.printed import numerals
from whatmoves.paper.tex import Tex, escape
from whatmoves.paper.writer import Writer
from whatmoves.settings import Settings
from whatmoves.yaml_files import read_yaml


class Protocol(Settings):
    """One source's numbers, and what must be as there for ours to stand beside them."""

    kind: str
    options: dict[str, Any]
    past_frames: int
    best_of: int
    clips: int
    source: str
    columns: dict[str, str]
    rows: dict[str, dict[str, str]]
    differs: str


class Published:
    """The file's protocols, asked for by data set."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self._writer = writer
        try:
            content = (
                read_yaml(path, "put it back from the repository", "bair: {kind: bair, …}") if path.is_file() else {}
            )
            self._protocols = TypeAdapter(dict[str, Protocol]).validate_python(content)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise PaperError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    def beside(self, dataset: str) -> Protocol | None:
        """The published numbers that this data set's may stand beside, if any.

        Options that a study does not set have their defaults, which `Protocol.options` names.
        """
        study, index = self._writer.study, self._writer.index
        entry = study.data[dataset]
        for protocol in self._protocols.values():
            measured = self._ours(dataset, protocol)
            if (
                (entry.kind, entry.past_frames, study.evaluation.best_of)
                == (protocol.kind, protocol.past_frames, protocol.best_of)
                and all(entry.options.get(key, value) == value for key, value in protocol.options.items())
                and measured
                and all(
                    index[f"{dataset}.{model}.{m}"].n == protocol.clips for model in measured for m in protocol.columns
                )
            ):
                return protocol
        return None

    def table(self, dataset: str) -> Tex:
        """The table: their models, then ours, each value of ours linked; raises `PaperError` where `beside` is None."""
        protocol = self.beside(dataset)
        if protocol is None:
            raise PaperError(f"nothing published is comparable with {dataset}; ask published.beside() first")
        lines = [
            [escape(name), *(Tex(escape(row[metric]).replace("±", r"$\pm$")) for metric in protocol.columns)]
            for name, row in protocol.rows.items()
        ]
        self._writer.said |= numerals(" ".join(text for row in protocol.rows.values() for text in row.values()))
        self._writer.said |= numerals(" ".join([*protocol.rows, *protocol.columns.values(), protocol.differs]))
        ours = [
            [
                self._writer.label(model),
                *(self._writer.value(f"{dataset}.{model}.{m}", interval=True, unit=False) for m in protocol.columns),
            ]
            for model in self._ours(dataset, protocol)
        ]
        rows = [r" & ".join(line) + r" \\" for line in lines]
        rows += [r"\midrule", *(r" & ".join(line) + r" \\" for line in ours)]
        head = " & ".join(["", *map(escape, protocol.columns.values())])
        body = "\n".join(rows)
        return Tex(
            f"\\begin{{tabular}}{{@{{}}l{'r' * len(protocol.columns)}@{{}}}}\n\\toprule\n{head} \\\\\n\\midrule\n"
            f"{body}\n\\bottomrule\n\\end{{tabular}}\n"
        )

    def _ours(self, dataset: str, protocol: Protocol) -> list[str]:
        """The study's models that were measured by all of its measures."""
        index = self._writer.index
        models = self._writer.models(dataset)
        return [name for name in models if all(f"{dataset}.{name}.{metric}" in index for metric in protocol.columns)]
