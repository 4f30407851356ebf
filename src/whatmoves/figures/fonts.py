"""The files that letters come from, in figures and in the paper: DejaVu, and one font for Chinese, Japanese, Korean."""

import functools
from pathlib import Path

EAST_ASIAN_PACKAGE = "fonts-droid-fallback"
_EAST_ASIAN = (
    Path("/usr/share/fonts-droid-fallback/truetype/DroidSansFallback.ttf"),  # with Korean
    Path("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"),
)


@functools.cache
def dejavu(face: str) -> Path:
    """The file of one of DejaVu's faces, such as `DejaVuSans-Bold`; they come with matplotlib."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{face}.ttf"


def east_asian() -> Path | None:
    """The font of Chinese, Japanese and Korean letters, where one is installed."""
    return next((path for path in _EAST_ASIAN if path.exists()), None)


@functools.cache
def held_by(path: Path) -> frozenset[int]:
    """The code points that a font file has letters for."""
    from fontTools.ttLib import TTFont

    return frozenset(TTFont(path, lazy=True).getBestCmap())


def in_dejavu(letter: str) -> bool:
    """Whether both faces that stand in for others hold a letter."""
    return all(ord(letter) in held_by(dejavu(face)) for face in ("DejaVuSans", "DejaVuSans-Bold"))


def in_east_asian(letter: str) -> bool:
    """Whether this machine's font of Chinese, Japanese and Korean letters holds one."""
    path = east_asian()
    return path is not None and ord(letter) in held_by(path)
