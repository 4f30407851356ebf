"""What one source file means: a hash of its syntax tree without comments, docstrings and layout, and its imports.

The tree is written out here rather than by `ast.dump` or `ast.unparse`, whose texts change between Python versions:
fields that are empty or absent are left out, so that a field a newer Python adds (and old code does not use) changes
nothing. Left out too is what cannot change a result: positions, the context of names, bare strings that stand as
statements, the sentences of `log.info` and its like, and the body of `if TYPE_CHECKING:`, which never runs.
"""

import ast
import contextlib
import functools
import hashlib
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from whatmoves.errors import ProofError
from whatmoves.files import write_text

IMPORTERS = ("importlib", "runpy")  # packages that load code by name
READERS = ("importlib.metadata", "importlib.resources")  # these of them do not
RUNNERS = frozenset({"__import__", "exec", "eval", "import_module"})
LOG_LEVELS = frozenset({"debug", "info", "warning", "error", "exception"})
SILENT_FIELDS = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


class Parsed(NamedTuple):
    """One source file: the hash of its meaning, the modules it may import, and dynamic imports as (line, what)."""

    digest: str
    imports: tuple[tuple[str, str | None], ...]  # (absolute module, name imported from it; None: the module itself)
    dynamic: tuple[tuple[int, str], ...]


@functools.lru_cache(maxsize=4096)
def parse(package: str, content: bytes, where: str) -> Parsed:
    """Read one file's bytes; `package` is what its relative imports start from, `where` names it in errors.

    Raises `ProofError` when the file does not parse. Cached by content, never by path.
    """
    try:
        tree = ast.parse(content, filename=where)
    except (SyntaxError, ValueError) as error:
        raise ProofError(f"{where}: does not parse ({error}); mend it") from None
    reader = _Reader(package)
    reader.visit(tree)
    digest = hashlib.blake2b("".join(reader.text).encode(), digest_size=16).hexdigest()
    return Parsed(digest, tuple(dict.fromkeys(reader.imports)), tuple(reader.dynamic))


def parse_once(package: str, content: bytes, where: str, kept: Path) -> Parsed:
    """As `parse`, kept in the file `kept` for the next process: a third of a millisecond instead of several.

    What is kept holds for this content, read by this code in this Python; anything else there is replaced.
    """
    read_by = [*sys.version_info[:2], _this_code(), package]
    key = hashlib.blake2b(content, digest_size=16, key=hashlib.blake2b(repr(read_by).encode()).digest()).hexdigest()
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads(kept.read_bytes())
        if found["key"] == key:
            imports, dynamic = ((tuple(pair) for pair in found[name]) for name in ("imports", "dynamic"))
            return Parsed(str(found["digest"]), tuple(imports), tuple(dynamic))
    parsed = parse(package, content, where)
    with contextlib.suppress(OSError):  # nothing is lost but time
        write_text(kept, json.dumps({"key": key, **parsed._asdict()}))
    return parsed


@functools.cache
def _this_code() -> str:
    return hashlib.blake2b(Path(__file__).read_bytes()).hexdigest()


class _Reader:
    """Walks a tree once, writing its meaning as text and noting its imports."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.text: list[str] = []
        self.imports: list[tuple[str, str | None]] = []
        self.dynamic: list[tuple[int, str]] = []

    def visit(self, node: ast.AST) -> None:
        kind = type(node)
        write = self.text.append
        if isinstance(node, ast.Name):
            write(f"n {node.id}\n")
            if node.id in RUNNERS:
                self.dynamic.append((node.lineno, node.id))
            return
        if isinstance(node, ast.Constant):
            write(f"c {node.value!a}\n")  # `repr` depends on the Unicode tables of the Python version
            return
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Attribute):
            self.note(node)
        write(f"({kind.__name__}\n")
        for name in kind._fields:
            if name in SILENT_FIELDS:
                continue
            if name == "body" and isinstance(node, ast.If) and _is_type_checking(node.test):
                continue
            value = getattr(node, name, None)
            if isinstance(node, ast.JoinedStr):  # Python 3.12 puts an empty text behind a nested format
                value = [part for part in node.values if not (_is_text(part) and part.value == "")]
            if name == "args" and isinstance(node, ast.Call) and _logs_text(node):
                value = node.args[1:]
            if value is None or value == []:
                continue
            write(f".{name}\n")
            if isinstance(value, ast.AST):
                self.visit(value)
            elif isinstance(value, list):
                self.visit_all(value)
            else:
                write(f"{value!a}\n")
        write(")\n")

    def visit_all(self, items: list[Any]) -> None:
        for item in items:
            if not isinstance(item, ast.AST):
                self.text.append(f"{item!a}\n")
            elif not (isinstance(item, ast.Expr) and _is_text(item.value)):
                self.visit(item)
        self.text.append("]\n")

    def note(self, node: ast.Import | ast.ImportFrom | ast.Attribute) -> None:
        """Note what a node imports, and whether it can import what the closure does not see."""
        if isinstance(node, ast.Attribute):
            if node.attr == "import_module":  # `import importlib.metadata` brings it along
                self.dynamic.append((node.lineno, node.attr))
            return
        if isinstance(node, ast.Import):
            found: list[tuple[str, str | None]] = [(alias.name, None) for alias in node.names]
        else:
            module = node.module or ""
            if node.level:
                above = self.package.split(".")
                above = above[: len(above) - node.level + 1]
                module = ".".join([*above, module] if module else above)
            found = [(module, alias.name) for alias in node.names]
        self.imports += found
        for module, name in found:
            full = f"{module}.{name}" if name else module
            if full.startswith(IMPORTERS) and not full.startswith(READERS):
                self.dynamic.append((node.lineno, full))


def _is_text(node: ast.expr) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _logs_text(call: ast.Call) -> bool:
    """Whether a call is `log.<level>("a sentence", …)`."""
    to = call.func
    if not (isinstance(to, ast.Attribute) and isinstance(to.value, ast.Name) and to.value.id == "log"):
        return False
    return to.attr in LOG_LEVELS and bool(call.args) and _is_text(call.args[0])


def _is_type_checking(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "TYPE_CHECKING") or (
        isinstance(node, ast.Attribute) and node.attr == "TYPE_CHECKING"
    )
