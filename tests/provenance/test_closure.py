import subprocess
import sys
from pathlib import Path

import pytest

from whatmoves.errors import ProofError
from whatmoves.provenance.closure import Traced, Tree, closure, combined, source_folder, trace
from whatmoves.provenance.syntax import parse

SNIPPET = b'''"""About."""
from math import pi

def area(radius: float, *, scale: int = 2) -> float:
    """Area."""
    return f"{pi * radius ** 2:.{scale}f}{radius!r}" if scale else None  # comment
'''


def digest(text: str | bytes) -> str:
    return parse("package", text if isinstance(text, bytes) else text.encode(), "snippet.py").digest


def test_the_hash_of_a_snippet_is_the_same_on_every_python():
    assert digest(SNIPPET) == "301a1b014ff8dd02c6e9ef8ac0319bb0"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1\n", "# note\nx = 1  # one\n"),
        ("def f():\n    return 1\n", 'def f():\n    """Gives one."""\n    return 1\n'),
        ("class A:\n    x = 1\n", 'class A:\n    """A."""\n    x = 1\n    """What x is."""\n'),
        ("f(a, b)\n", "f(\n    a,\n    b,\n)\n"),
        ("x = 'a'\n", 'x = "a"\n'),
        ("x = (1 + 2)\n", "x = 1 + 2\n"),
        ("if a:\n    b()\nelif c:\n    d()\n", "if a:\n    b()\nelse:\n    if c:\n        d()\n"),
        ("from t import TYPE_CHECKING\n", "from t import TYPE_CHECKING\n"),
        ("if TYPE_CHECKING:\n    import a\n", "if TYPE_CHECKING:\n    import b\n"),
        ("log.info('read %s', x)\n", "log.info('%s is read', x)\n"),
    ],
)
def test_layout_comments_and_docstrings_are_no_meaning(before: str, after: str):
    assert digest(before) == digest(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1\n", "x = 1.0\n"),
        ("x = 1\n", "x = True\n"),
        ("x = 'a'\n", "x = b'a'\n"),
        ("x = 'a'\n", "x = a\n"),
        ("f(a, b)\n", "f(b, a)\n"),
        ("f(a, b)\n", "f(a, b=b)\n"),
        ("f(a)(b)\n", "f(a, b)\n"),
        ("x = a - b\n", "x = a + b\n"),
        ("def f(a, b=1): pass\n", "def f(a, *, b=1): pass\n"),
        ("def f(a: int): pass\n", "def f(a: float): pass\n"),
        ("def f(): pass\n", "async def f(): pass\n"),
        ("if a:\n    b()\n    c()\n", "if a:\n    b()\nc()\n"),
        ("{**a, 'b': 1}\n", "{'b': 1, **a}\n"),
        ("x = [[1], 2]\n", "x = [[1, 2]]\n"),
        ("x = f'{a}b'\n", "x = f'{a!r}b'\n"),
        ("x = 'doc'\n", "x = 'other'\n"),
        ("log.info('read %s', x)\n", "log.info('read %s', y())\n"),
        ("log.info(x)\n", "log.info(y)\n"),
        ("tell.info('read')\n", "tell.info('write')\n"),
        ("from a import b\n", "from .a import b\n"),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    x = 1\n", "if TYPE_CHECKING:\n    pass\nelse:\n    x = 2\n"),
    ],
)
def test_every_other_edit_is_a_new_meaning(before: str, after: str):
    assert digest(before) != digest(after)


def tree(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / (name.replace("__", "/").replace("/init/", "__init__").replace("/init", "/__init__") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


PACKAGE = {"p__init": "", "p__q__init": "", "p__q__a": "", "p__q__b": "", "p__q__c": "from . import b", "other": ""}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import p.q.a", {"p", "p.q", "p.q.a"}),
        ("import p.q.a as x", {"p", "p.q", "p.q.a"}),
        ("from p.q import a", {"p", "p.q", "p.q.a"}),
        ("from p.q import SOMETHING", {"p", "p.q"}),
        ("from p.q.a import thing", {"p", "p.q", "p.q.a"}),
        ("from p.q import *", {"p", "p.q", "p.q.a", "p.q.b", "p.q.c"}),
        ("from p.q import c", {"p", "p.q", "p.q.b", "p.q.c"}),
        ("def f():\n    from p.q import a", {"p", "p.q", "p.q.a"}),
        ("if TYPE_CHECKING:\n    from p.q import a", set()),
        ("if typing.TYPE_CHECKING:\n    pass\nelse:\n    from p.q import a", {"p", "p.q", "p.q.a"}),
        ("import os, numpy", set()),
    ],
)
def test_imports_are_followed(tmp_path: Path, text: str, found: set[str]):
    tree(tmp_path, **PACKAGE, entry=text)
    assert set(closure(["entry"], tmp_path)) == found | {"entry"}


@pytest.mark.parametrize(
    ("module", "text", "found"),
    [
        ("p.q.e", "from . import a", {"p", "p.q", "p.q.a"}),
        ("p.q.e", "from .a import x", {"p", "p.q", "p.q.a"}),
        ("p.q.e", "from .. import q", {"p", "p.q"}),
        ("p.q.e", "from ..q.a import x", {"p", "p.q", "p.q.a"}),
    ],
)
def test_relative_imports_are_followed(tmp_path: Path, module: str, text: str, found: set[str]):
    tree(tmp_path, **PACKAGE, **{module.replace(".", "__"): text})
    assert set(closure([module], tmp_path)) == found | {module}


def test_relative_imports_of_a_package_start_at_itself(tmp_path: Path):
    tree(tmp_path, **{**PACKAGE, "p__q__init": "from .a import x"})
    assert set(closure(["p.q"], tmp_path)) == {"p", "p.q", "p.q.a"}


def test_cycles_end_and_foreign_packages_are_named(tmp_path: Path):
    tree(tmp_path, one="import two, torch.nn", two="import one, sys\nfrom numpy import pi")
    traced = trace(["one"], tmp_path)
    assert set(traced.modules) == {"one", "two"}
    assert traced.foreign == {"torch", "numpy"}


@pytest.mark.parametrize(
    "text",
    [
        "import importlib\n",
        "from importlib import import_module\n",
        "from importlib import util\n",
        "import importlib.resources\nx = importlib.import_module('a')\n",
        "import runpy\n",
        "__import__('a')\n",
        "exec('import a')\n",
        "f = eval\n",
    ],
)
def test_a_dynamic_import_is_an_error_that_names_the_line(tmp_path: Path, text: str):
    tree(tmp_path, entry="x = 1\nimport helper", helper=text)
    with pytest.raises(ProofError, match=r"helper\.py:[12]: .* hides code"):
        closure(["entry"], tmp_path)


def test_what_looks_dynamic_but_is_not(tmp_path: Path):
    tree(tmp_path, entry="import importlib.metadata\nmodel.eval()\nre.compile('a')\nfrom importlib import resources\n")
    assert set(closure(["entry"], tmp_path)) == {"entry"}


@pytest.mark.parametrize(
    ("text", "message"),
    [("import p.nothing", r"p\.nothing: no such module in"), ("def", r"entry\.py: does not parse .* mend it")],
)
def test_code_that_cannot_be_followed_is_an_error(tmp_path: Path, text: str, message: str):
    tree(tmp_path, **PACKAGE, entry=text)
    with pytest.raises(ProofError, match=message):
        closure(["entry"], tmp_path)


def test_an_entry_that_is_nowhere_is_an_error(tmp_path: Path):
    with pytest.raises(ProofError, match=r"absent_module_of_mine\.model: no such module"):
        closure(["absent_module_of_mine.model"], tmp_path)


def test_a_users_module_brings_its_neighbours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tree(tmp_path / "src", p__init="", p__a="")
    tree(
        tmp_path / "mine", my_models__net="from my_models import block\nimport my_tools\nfrom p import a\nimport numpy"
    )
    tree(tmp_path / "mine", my_models__block="", my_tools="")
    monkeypatch.chdir(tmp_path / "mine")
    found = closure(["p.a", "my_models.net"], tmp_path / "src")
    assert set(found) == {"p", "p.a", "my_models.net", "my_models.block", "my_tools"}


def test_an_edit_between_two_calls_is_seen(tmp_path: Path):
    tree(tmp_path, entry="x = 1")
    before = closure(["entry"], tmp_path)
    tree(tmp_path, entry="x = 2")  # same length, and possibly the same time of writing
    assert closure(["entry"], tmp_path) != before


def test_what_is_kept_of_a_file_holds_for_its_content_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    kept = tmp_path / "cache"
    tree(tmp_path / "src", p__init="", p__a="from . import b\nimport numpy", p__b="x = 1", c="y = 1")

    def traced() -> Traced:
        return Tree(tmp_path / "src", kept).trace(["p.a", "c"])

    first = traced()
    assert first == trace(["p.a", "c"], tmp_path / "src")
    with monkeypatch.context() as without_reading:
        without_reading.setattr("whatmoves.provenance.syntax.parse", lambda *_: pytest.fail("read again"))
        assert traced() == first
    (kept / "p.a.json").write_text("half of a fi", encoding="utf-8")
    (kept / "c.json").write_bytes((kept / "p.b.json").read_bytes())
    assert traced() == first
    tree(tmp_path / "src", p__b="x = 2")
    assert traced().modules["p.b"] != first.modules["p.b"]


def test_a_tree_stays_as_it_was_first_read(tmp_path: Path):
    tree(tmp_path, one="x = 1", two="import one")
    as_read = Tree(tmp_path)
    before = as_read.trace(["one"])
    tree(tmp_path, one="x = 2")
    assert as_read.trace(["two"]).modules["one"] == before.modules["one"] != trace(["one"], tmp_path).modules["one"]


def test_combined_sees_names_and_hashes_but_no_order():
    assert combined({"a": "1", "b": "2"}) == combined({"b": "2", "a": "1"})
    assert len({combined(h) for h in ({"a": "1", "b": "2"}, {"a": "2", "b": "1"}, {"a": "1"}, {"a1": ""})}) == 4


def test_every_module_of_the_package_can_be_followed():
    root = source_folder()
    names = [p.relative_to(root).with_suffix("").parts for p in (root / "whatmoves").rglob("*.py")]
    found = closure([".".join(n[:-1] if n[-1] == "__init__" else n) for n in names], root)
    assert len(found) == len(names)


def test_fingerprints_load_nothing_heavy():
    code = (
        "import sys, whatmoves.provenance.jobs, whatmoves.provenance.receipts, whatmoves.provenance.verify, "
        "whatmoves.provenance.archive; "
        "print([m for m in ('torch', 'pandas', 'matplotlib', 'rocrate') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
