"""Templates to TeX: Jinja2 with delimiters that TeX does not use, strict about names and escaping by default.

    << expression >>     <% statement %>     <# comment #>

What an expression gives is escaped, unless a function of ours marked it as TeX. A bare number is refused: results come
through `value(id)`, settings through `setting(path)`, sizes through `count(things)`.
"""

from pathlib import Path
from typing import Any, NoReturn

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError, Undefined

from whatmoves.data.cards import card_of
from whatmoves.errors import PaperError
from whatmoves.paper.appendix import Appendix
from whatmoves.paper.cards import cited, licence
from whatmoves.paper.efficiency import ReferenceTimes
from whatmoves.paper.literals import JINJA
from whatmoves.paper.published import Published
from whatmoves.paper.searched import ReportedSearch
from whatmoves.paper.tables import Column
from whatmoves.paper.tex import Tex, code, columns, escape, listing, metadata
from whatmoves.paper.writer import Writer

MAIN = "main.tex.j2"


def environment(templates: Path) -> Environment:
    """The Jinja environment of the paper's templates in that folder."""
    return JINJA(
        loader=FileSystemLoader(templates),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,
        finalize=_finalize,
    )


def render(
    templates: Path,
    writer: Writer,
    appendix: Appendix,
    searched: ReportedSearch,
    times: ReferenceTimes,
    name: str = MAIN,
) -> str:
    """The paper's TeX source; raises `PaperError` with template, line and reason."""
    study = writer.study
    functions: dict[str, Any] = {
        name: getattr(writer, name)
        for name in (
            "models", "leaders", "headline", "variants", "unjudged", "without", "label", "labels", "floors",
            "floors_in_words", "has", "anywhere", "value", "seeds_behind", "compared", "beside_zero", "floor_of",
            "standings", "against_zero", "against_untrained", "setting", "has_setting", "table", "figure", "figure_of",
            "count", "see_figure", "has_figure", "empty_figures", "verdicts", "has_verdict", "verdict", "evidence",
        )
    }  # fmt: skip
    functions |= {
        "has_metric": writer.index.has_metric,
        "shifts": writer.index.shifts,
        "own_measures": writer.index.own,
        "own_columns": writer.own_columns,
        "column": Column,
        "appendix": appendix,
    }
    functions |= {
        "card_of": card_of,
        "cited": cited,
        "licence": licence,
        "code": code,
        "columns": columns,
        "listing": listing,
        "metadata": metadata,
        "published": Published(templates / "published.yaml", writer),
        "study": study,
        "searched": searched,
        "times": times,
    }
    try:
        return environment(templates).get_template(name).render(functions)
    except TemplateSyntaxError as error:
        raise PaperError(f"{error.filename or error.name}:{error.lineno}: {error.message}") from None
    except TemplateError as error:
        _raise_at(error, templates)
    except PaperError as error:
        _raise_at(error, templates)


def _finalize(result: Any) -> str:
    if isinstance(result, Undefined):
        return str(result)  # raises with the missing name; nothing for an inline `if` without `else`
    if isinstance(result, Tex):
        return result
    if isinstance(result, str):
        return escape(result)
    raise PaperError(
        f"the expression gives {type(result).__name__} {result!r}; print results with value(id), settings with "
        f"setting(path), sizes with count(things)"
    )


def _raise_at(error: Exception, templates: Path) -> NoReturn:
    """The same error, with the innermost template line that caused it in front."""
    place, trace = str(templates), error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.endswith(".j2"):
            place = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    raise PaperError(f"{place}: {error}") from None
