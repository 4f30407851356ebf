"""What is installed, beside what requirements.txt pins: the same versions, or by name which not.

A build of a version (`2.13.0+cu128`, the wheel for a GPU) is that version, unless the pin itself names a build.
"""

import contextlib
from collections.abc import Iterable, Mapping
from importlib import metadata

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

FIX = "pip install -r requirements.txt"


def installed(names: Iterable[str]) -> dict[str, str]:
    """Distribution → installed version, of those that are installed."""
    versions = {}
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def meets(version: str, pin: str) -> bool:
    """Whether a version is the one that `==pin` asks for."""
    try:
        return SpecifierSet(f"=={pin}").contains(version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return version == pin


def alike(one: str, other: str) -> bool:
    """Whether two versions are the same but for their build."""
    try:
        return Version(one).public == Version(other).public
    except InvalidVersion:
        return one == other


def unlike_pinned(pins: Mapping[str, str]) -> list[str]:
    """A line for each package that is installed in another version than its pin."""
    return [
        f"{name} {version} is installed, but requirements.txt pins {pins[name]}: `whatmoves verify` will accept "
        f"nothing that is made with it; {FIX}"
        for name, version in installed(pins).items()
        if not meets(version, pins[name])
    ]
