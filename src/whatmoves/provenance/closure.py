"""Which of our own code a job runs: the transitive imports of its entry modules, each hashed by its meaning.

A module is ours when it lies in the source folder, or in the folder where an entry module outside the package was
found (of installed packages, only what shares the entry's top-level name). Imports are read from syntax trees, so
nothing is executed and nothing heavy is loaded:

    import a.b             a, a.b                     every parent package's `__init__` runs, so it belongs
    from a import b        a, and a.b if a module
    from a import *        a, and all its submodules
    from . import b        as above, relative to the importing package

Imports inside functions count, because they run. Imports under `if TYPE_CHECKING:` do not, because they never run.
A dynamic import hides code from the closure; outside the one declared place it is an error.
"""

import hashlib
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import whatmoves
from whatmoves.errors import ProofError
from whatmoves.provenance.syntax import Parsed, parse, parse_once

PLUGINS = "whatmoves.plugins"  # the one place that imports by name; what it loads is an entry module of the job


class Traced(NamedTuple):
    """What a job runs: its own modules → hash, and the top-level names of everything else its modules import."""

    modules: dict[str, str]
    foreign: frozenset[str]


def source_folder() -> Path:
    """The folder that holds the running `whatmoves` package."""
    return Path(whatmoves.__path__[0]).parent


def closure(entry_modules: Sequence[str], root: Path | None = None, without: Collection[str] = ()) -> dict[str, str]:
    """Module → hash for the entry modules and all of our own code that they import; see `trace`."""
    return trace(entry_modules, root, without).modules


def trace(entry_modules: Sequence[str], root: Path | None = None, without: Collection[str] = ()) -> Traced:
    """The entry modules and all of our own code that they import, sorted by name, and what else they import.

    `root` is the folder that holds the package (default: that of the running one). Modules in `without` are neither
    hashed nor followed. Every file is read anew at each call, so an edit between two calls is seen; only parsing is
    cached. Raises `ProofError` for a module that is missing, does not parse, or imports dynamically.
    """
    return Tree(root).trace(entry_modules, without)


class Tree:
    """Our source files as they stood when first asked for: read once, however many jobs run them.

    `root` is the folder that holds the package (default: that of the running one). In the folder `cache` is kept what
    they mean, for the next process.
    """

    def __init__(self, root: Path | None = None, cache: Path | None = None) -> None:
        self.root, self.cache = root or source_folder(), cache
        self._finders: dict[tuple[str, ...], _Finder] = {}

    def trace(self, entry_modules: Sequence[str], without: Collection[str] = ()) -> Traced:
        """As the function of this name, in this tree."""
        elsewhere = tuple(name for name in entry_modules if not _holds(self.root, name.partition(".")[0]))
        if elsewhere not in self._finders:  # modules of a user make more code than the package count as ours
            self._finders[elsewhere] = _Finder(self.root, elsewhere, self.cache)
        finder = self._finders[elsewhere]
        hashes: dict[str, str] = {}
        foreign: set[str] = set()
        waiting = list(entry_modules)
        seen = set(without)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            module = finder.read(name)
            if module.digest is not None:
                hashes[name] = module.digest
            waiting += module.targets
            foreign |= module.foreign
        return Traced({name: hashes[name] for name in sorted(hashes)}, frozenset(foreign - sys.stdlib_module_names))


class _Module(NamedTuple):
    """A module: its hash (None for a package without an `__init__`), the modules of ours that run with it, and the
    top-level names of others that it imports."""

    digest: str | None
    targets: tuple[str, ...]
    foreign: frozenset[str]


def combined(hashes: Mapping[str, str]) -> str:
    """One short hex digest of a module → hash map, independent of its order."""
    lines = "".join(f"{name}\0{hashes[name]}\n" for name in sorted(hashes))
    return hashlib.blake2b(lines.encode(), digest_size=6).hexdigest()


class _Finder:
    """Finds modules as files, in the folders that hold our own code."""

    def __init__(self, root: Path, entry_modules: Sequence[str], cache: Path | None) -> None:
        self.roots, self.cache = [root], cache
        self.homes: dict[str, Path | None] = {}
        self.files: dict[str, Path | None] = {}
        self.modules: dict[str, _Module] = {}
        for name in entry_modules:
            self.admit(name)

    def read(self, name: str) -> _Module:
        """A module of ours, read once; raises `ProofError` for one that is missing or cannot be followed."""
        if name not in self.modules:
            self.modules[name] = self._read(name)
        return self.modules[name]

    def _read(self, name: str) -> _Module:
        package = name.rpartition(".")[0]
        above = (package,) if package else ()
        path = self.file_of(name)
        if path is None:
            if not self.is_folder(name):
                raise ProofError(f"{name}: no such module in {self.home_of(name)}; mend the import or the kind")
            return _Module(None, above, frozenset())
        parsed = self.parse(name, name if path.name == "__init__.py" else package, path)
        if parsed.dynamic and name != PLUGINS:
            line, what = parsed.dynamic[0]
            raise ProofError(
                f"{path}:{line}: {what} hides code from the fingerprints of results; "
                f"import statically, or load the module through {PLUGINS}"
            )
        foreign = {module.partition(".")[0] for module, _ in parsed.imports if self.home_of(module) is None}
        return _Module(parsed.digest, (*above, *self.targets(parsed)), frozenset(foreign))

    def admit(self, name: str) -> None:
        """Let the home of an entry module count as ours."""
        top = name.partition(".")[0]
        if self.home_of(top):
            return
        for folder in [Path.cwd(), *map(Path, sys.path)]:
            if _holds(folder, top):
                if folder.name in ("site-packages", "dist-packages"):
                    self.homes[top] = folder
                else:  # neighbours of a user's module are the user's: what looked foreign so far may be theirs
                    self.roots.append(folder)
                    self.homes = {name: home for name, home in self.homes.items() if home}
                return
        raise ProofError(
            f"{name}: no such module in {self.roots[0]}, the current folder or Python's path; mend the kind"
        )

    def parse(self, name: str, package: str, path: Path) -> Parsed:
        content = path.read_bytes()
        if self.cache is None:
            return parse(package, content, str(path))
        return parse_once(package, content, str(path), self.cache / f"{name}.json")

    def home_of(self, name: str) -> Path | None:
        """The folder of ours that holds a module's top-level name; None for other people's code."""
        top = name.partition(".")[0]
        if top not in self.homes:
            self.homes[top] = next((folder for folder in self.roots if _holds(folder, top)), None)
        return self.homes[top]

    def file_of(self, name: str) -> Path | None:
        if name not in self.files:
            home = self.home_of(name)
            base = home.joinpath(*name.split(".")) if home else Path("/")
            candidates = (base / "__init__.py", base.with_name(f"{base.name}.py")) if home else ()
            self.files[name] = next((path for path in candidates if path.is_file()), None)
        return self.files[name]

    def is_folder(self, name: str) -> bool:
        """Whether the module is a package without an `__init__`."""
        home = self.home_of(name)
        return home is not None and home.joinpath(*name.split(".")).is_dir()

    def targets(self, parsed: Parsed) -> Iterator[str]:
        """The modules of ours that a parsed file imports."""
        for module, name in parsed.imports:
            if self.home_of(module) is None:
                continue
            yield module
            if name is None:
                continue
            path = self.file_of(module)
            if name == "*":
                if path is not None and path.name == "__init__.py":
                    yield from (f"{module}.{p.stem}" for p in sorted(path.parent.glob("*.py")) if p.stem != "__init__")
            elif self.file_of(f"{module}.{name}") or self.is_folder(f"{module}.{name}"):
                yield f"{module}.{name}"


def _holds(folder: Path, top: str) -> bool:
    return (folder / f"{top}.py").is_file() or (folder / top).is_dir()
