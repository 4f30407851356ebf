"""What the site of docs/ has beside its pages: called by MkDocs as mkdocs.yml says.

- The map of the house and the API reference: a page a package, of the docstrings of its modules.
- A page for each file or folder of the repository that a page links to (../findings/x.sh, ../README.md): its text. So a
  link that works in the repository works on the site as well, which needs no address of the repository.
"""

import ast
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/whatmoves"
LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(#[^)\s]*)?(?=\))")
LANGUAGES = {".py": "python", ".sh": "bash", ".yaml": "yaml", ".smk": "python", ".json": "json", ".toml": "toml"}
OF_REPOSITORY = "repository"  # the folder of the site where such pages stand


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The packages, below "The house"."""
    [house] = [part["The house"] for part in config.nav if "The house" in part]
    house[:0] = [{"Map of the house": "api/index.md"}]
    house += [{"API": [{name: f"api/{name}.md"} for name in packages()]}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand in no file."""
    files.append(File.generated(config, "api/index.md", content=map_of_the_house()))
    for package in packages():
        files.append(File.generated(config, f"api/{package}.md", content=reference(package)))
    waiting = [path for path in files.src_uris if path.endswith(".md") and not path.startswith("api/")]
    while waiting:
        page = waiting.pop()
        for target in linked(page, (ROOT / place_of(page)).read_text(encoding="utf-8")):
            uri = page_of(target)
            if uri not in files.src_uris:
                files.append(File.generated(config, uri, content=text_of(target)))
                if target.endswith(".md"):
                    waiting.append(uri)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links of the repository as links of the site."""
    here = page.file.src_uri
    if here.startswith("api/"):
        return markdown

    def moved(link: re.Match[str]) -> str:
        target = target_of(here, link[1])
        if target is None:
            return link[0]
        return posixpath.relpath(page_of(target), posixpath.dirname(here) or ".") + (link[2] or "")

    return LINK.sub(moved, markdown)


def place_of(uri: str) -> str:
    """Where in the repository the text of a page stands."""
    inside = uri.removeprefix(f"{OF_REPOSITORY}/")
    return inside if inside != uri else f"docs/{uri}"


def page_of(target: str) -> str:
    """The page, or the picture, of the site that shows what stands at `target` in the repository."""
    if target == "docs":
        return "index.md"
    if target.startswith("docs/"):
        inside = target.removeprefix("docs/")
        return f"{inside}/README.md" if (ROOT / target).is_dir() else inside
    return f"{OF_REPOSITORY}/{target}" + ("" if target.endswith(".md") else ".md")


def target_of(uri: str, link: str) -> str | None:
    """What a link on a page names in the repository; None where there is no such file, which MkDocs then tells."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(place_of(uri)), link))
    return target if (ROOT / target).exists() else None


def linked(uri: str, markdown: str) -> list[str]:
    """What a page links to in the repository outside docs/."""
    targets = [target_of(uri, link) for link, _ in LINK.findall(markdown)]
    return [target for target in targets if target is not None and not f"{target}/".startswith("docs/")]


def text_of(target: str) -> str:
    """A page for a file or folder of the repository: Markdown as it is, other text as code, a folder as its names."""
    path = ROOT / target
    if target.endswith(".md"):
        return path.read_text(encoding="utf-8")
    if path.is_dir():
        names = sorted(found.name for found in path.iterdir() if not found.name.startswith((".", "__")))
        return f"# {target}/\n\n" + "".join(f"- `{name}`\n" for name in names)
    text = path.read_text(encoding="utf-8")
    return f"# {target}\n\n````{LANGUAGES.get(path.suffix, 'text')}\n{text}````\n"


def packages() -> list[str]:
    """The packages of whatmoves, and `whatmoves` itself for the modules that stand in none."""
    return ["whatmoves", *sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))]


def modules(package: str) -> list[Path]:
    """The files of a package, its own folders' too, that say something about themselves."""
    paths = PACKAGE.glob("*.py") if package == "whatmoves" else (PACKAGE / package).rglob("*.py")
    return sorted(path for path in paths if path.name not in ("__init__.py", "__main__.py"))


def name_of(path: Path) -> str:
    """The dotted name of a module."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def says(path: Path) -> str:
    """The first paragraph of a module's docstring, on one line."""
    words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(words.partition("\n\n")[0].split())


def map_of_the_house() -> str:
    """Every package and module with its first sentence."""
    lines = ["# Map of the house", "", "What stands where in `src/whatmoves/`, in the words of each file.", ""]
    for package in packages():
        folder = PACKAGE if package == "whatmoves" else PACKAGE / package
        lines += [f"## [{package}]({package}.md)", "", says(folder / "__init__.py"), ""]
        lines += ["| module | |", "|---|---|"]
        for path in modules(package):
            name, words = name_of(path), says(path).replace("|", r"\|")
            lines.append(f"| [`{name.removeprefix('whatmoves.')}`]({package}.md#{name}) | {words} |")
        lines.append("")
    return "\n".join(lines)


def reference(package: str) -> str:
    """The API page of a package: its modules, one after the other."""
    return f"# {package}\n\n" + "".join(f"::: {name_of(path)}\n\n" for path in modules(package))
