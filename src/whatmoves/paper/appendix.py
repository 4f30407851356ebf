"""The appendix that every number and figure links to: its id, where it came from, and the way back."""

from pathlib import Path

from whatmoves.paper.sources import Source, read_source
from whatmoves.paper.tex import Tex, code, escape, number
from whatmoves.paper.writer import Writer

HASH_DIGITS = 10


class Appendix:
    """Entries for all that `writer` used; call its parts after everything else was rendered, `values` first."""

    def __init__(self, writer: Writer, root: Path) -> None:
        self._writer = writer
        self._root = root
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
                rf"\item \figureentry{{{name}}} {code(name)}: drawn by {code(f'whatmoves.figures.{name}')} from "
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
