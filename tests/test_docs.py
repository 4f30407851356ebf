"""The documentation: every page is in the menu, each quoted message is one of ours, and the site builds strictly."""

import ast
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tools import ROOT

MKDOCS = ROOT / ".venv-docs/bin/mkdocs"
OUTSIDE = re.compile(r"^(https?:)?//")


def literals() -> list[str]:
    """Every text in the source, with … for what is filled in; of the rules too."""
    found = []
    for path in [*(ROOT / "src").rglob("*.py"), *(ROOT / "workflow").rglob("*.smk")]:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".smk":
            found += re.findall(r'"([^"\n]*)"', text)
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(str(v.value) if isinstance(v, ast.Constant) else "…" for v in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return found


def quoted() -> list[str]:
    page = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8").partition("\n## Snakemake's own")[0]
    return re.findall(r"^### (.*)$", page, re.MULTILINE)


def test_each_quoted_message_is_in_the_source() -> None:
    known = {re.sub("…+", "…", text) for text in literals()}
    messages = quoted()
    assert len(messages) >= 15
    assert [message for message in messages if re.sub("…+", "…", message) not in known] == []


def test_each_page_is_in_the_menu_and_each_command_of_make_exists() -> None:
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = sorted(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))
    assert [page for page in pages if f" {page}\n" not in menu] == []
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    text = "".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in pages)
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= set(targets)


class Addresses(HTMLParser):
    """What a page fetches when it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        address = named.get("src") or (named.get("href") if tag == "link" else None)
        self.fetched.append(address or "")


@pytest.mark.slow
@pytest.mark.skipif(not MKDOCS.is_file(), reason="no .venv-docs: `make docs` or `make test-slow` makes it")
def test_the_site_builds_strictly_and_fetches_nothing(tmp_path: Path) -> None:
    answer = subprocess.run(
        [MKDOCS, "build", "--strict", "--quiet", "--site-dir", tmp_path], cwd=ROOT, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    pages = sorted(tmp_path.rglob("*.html"))
    assert tmp_path / "api/using.html" in pages
    assert tmp_path / "repository/index.html" in pages
    assert "get_data_loaders" in (tmp_path / "api/using.html").read_text(encoding="utf-8")
    for page in pages:
        parser = Addresses()
        parser.feed(page.read_text(encoding="utf-8"))
        assert [address for address in parser.fetched if OUTSIDE.match(address)] == [], page
