"""CITATION.cff says what the package says of itself. (cffconvert 2.0.0 finds it valid by schema 1.2.0.)"""

import re
import tomllib
from pathlib import Path

from whatmoves.yaml_files import read_yaml

ROOT = Path(__file__).parents[1]


def test_the_citation_has_what_its_format_asks_for_and_agrees_with_the_package() -> None:
    cited = read_yaml(ROOT / "CITATION.cff", "no such file", "a citation")
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cited["cff-version"] == "1.2.0"
    assert cited["type"] == "software"
    assert cited["message"]
    assert cited["title"].startswith("What Moves")
    assert all(author.get("name") or author.get("family-names") for author in cited["authors"])
    assert str(cited["version"]) == package["version"]
    assert cited["license"] == package["license"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", cited["date-released"])
