"""The appendix that every number and figure links to: its id, where it came from, and the way back."""

from collections.abc import Mapping
from pathlib import Path

from whatmoves.files import read_json
from whatmoves.layout import figure_parts
from whatmoves.paper.index import read_index
from whatmoves.paper.sources import Source, read_source
from whatmoves.paper.tex import Tex, code, escape, listing, number
from whatmoves.paper.writer import Writer

HASH_DIGITS = 10


class Appendix:
    """Entries for all that `writer` used; call its parts after everything else was rendered, `values` first.

    `reference` are the values of the reference run, by id; empty where none is kept.
    """

    def __init__(self, writer: Writer, root: Path, reference: Path | None = None) -> None:
        self._writer = writer
        self._root = root
        self.reference = read_index(reference) if reference is not None and reference.is_file() else {}
        self._numbers: dict[str, int] = {}

    def values(self) -> Tex:
        """Rows of a long table: way back, measure, value, interval, clips, seeds, files; grouped by model."""
        lines: list[str] = []
        for prefix, entries in self._writer.used_values().items():
            lines.append(rf"\indexgroup{{{code(prefix)}}}")
            for value_id, entry in entries:
                seeds = ", ".join(
                    rf"\seedvalue{{{escape(seed)}}}{{{number(entry.numeral(value))}}}"
                    for seed, value in sorted(entry.seeds.items(), key=lambda item: (len(item[0]), item[0]))
                )
                files = ", ".join(self._file(file) for file in entry.files)
                clips = number(str(entry.n)) if entry.n is not None else "--"
                name = code(value_id.rpartition(".")[2])
                lines.append(
                    rf"\valueentry{{{value_id}}}{{{name}}} & {entry.tex()} & {entry.interval_tex() or '--'} & "
                    rf"{clips} & {seeds or '--'} & {files or '--'} \\"
                )
        return Tex("\n".join(lines))

    def figures(self) -> Tex:
        """One item a figure: way back, the module that draws it, its data and what its receipt names."""
        return Tex(
            "\n".join(
                rf"\item \figureentry{{{name}}} {code(name)}: drawn by "
                rf"{code(f'whatmoves.figures.{figure_parts(name)[0]}')} from "
                rf"{code(f'figures/{name}.npz')}{self._origin(read_source(self._root, f'figures/{name}.npz'))}."
                for name in self._writer.figures_used
            )
        )

    def files(self) -> Tex:
        """One item a result file that a value above names, in the order of their numbers."""
        lines = []
        for file, place in self._numbers.items():
            source = read_source(self._root, file)
            lines.append(rf"\item[\textsf{{F{place}}}] \anchor{{file:{place}}}{code(file)}{self._origin(source)}")
        return Tex("\n".join(lines))

    def settings(self) -> Tex:
        """One line a setting."""
        lines = [
            rf"\settingentry{{{path}}}{{{code(path)}}}{{{shown}}}"
            for path, shown in self._writer.all_settings().items()
        ]
        return Tex("\n".join(lines))

    def proof(self) -> Tex:
        """What `whatmoves verify` said of everything this paper was made from, in sentences."""
        path = self._root / "verify.json"
        if not path.is_file():
            return Tex("No proof was asked for when this paper was built.")
        report = read_json(path)
        counts = listing(f"{count} {status}" for status, count in report["counts"].items()) or Tex("no results")
        text = f"When it was built, {code('whatmoves verify')} held every result against this tree: {counts}."
        text += self._arithmetic(report["levels"])
        doubtful = [result for result in report["results"] if result["status"] not in ("fresh", "unused")]
        items = [
            rf"\item {code(result['result'])}: {escape(result['status'])}"
            + "".join(f"; {escape(reason['sentence'])}" for reason in result["reasons"])
            for result in doubtful
        ]
        return Tex(text + ("\\begin{itemize}\n" + "\n".join(items) + "\n\\end{itemize}" if items else ""))

    def _arithmetic(self, levels: Mapping[str, Mapping[str, int]]) -> str:
        """At which level of instructions the results were computed, in a sentence."""
        asked = listing(levels.get("asked", {}))
        if not asked:
            return ""
        names = [name for name in levels if name != "asked"]
        told = listing(f"{name} {' and '.join(levels[name])}" for name in names)
        return f" The results were computed in {asked} arithmetic; the libraries report {told}."

    def compared(self) -> list[tuple[str, Tex]]:
        """Rows of a table: this run beside the reference run, for the used values that both have with an interval.

        Inside: each of the two means lies in the other's interval, or the printed numbers are equal.
        """
        rows = []
        for prefix, entries in self._writer.used_values().items():
            for value_id, entry in entries:
                if value_id not in self.reference or entry.interval is None:
                    continue
                other = self.reference[value_id]
                low, high = other.span()
                inside = entry.span()[0] <= other.value <= entry.span()[1] and low <= entry.value <= high
                word = "inside" if inside or entry.numeral() == other.numeral() else r"\textbf{outside}"
                name = code(f"{prefix}.{value_id.rpartition('.')[2]}")
                name = Tex(rf"\anchor{{reference:{value_id}}}{name}")
                shown = rf"\hyperlink{{value:{value_id}}}{{{entry.tex()}}}"
                rows.append((value_id, Tex(rf"{name} & {shown} & {other.tex()} & {other.interval_tex()} & {word} \\")))
        return rows

    def _file(self, file: str) -> str:
        place = self._numbers.setdefault(file, len(self._numbers) + 1)
        return rf"\hyperlink{{file:{place}}}{{\textsf{{F{place}}}}}"

    def _origin(self, source: Source) -> str:
        """`, code ab12…, commit cd34…` as far as a receipt names them; a repository address makes the commit a link."""
        text = f", by rule {code(source.rule)}" if source.rule else ""
        text += f", code {code(source.code[:HASH_DIGITS])}" if source.code else ""
        if source.commit:
            short: str = code(source.commit[:HASH_DIGITS])
            repository = self._writer.study.paper.repository
            if repository:
                short = rf"\href{{{repository.rstrip('/')}/tree/{source.commit}}}{{{short}}}"
            text += f", commit {short}" + (" with uncommitted changes" if source.dirty else "")
        return text
