"""Both levels of arithmetic: tiny to the bytes that another machine wrote, a small study natively to its PDF."""

import json
from pathlib import Path

import pytest
import yaml
from small_studies import SMALL
from tools import snakemake

from whatmoves.arithmetic.level import PORTABLE, not_portable
from whatmoves.files import sha256

DIGEST = Path(__file__).with_name("tiny.values.sha256")


@pytest.mark.skipif(not_portable() is not None, reason="portable arithmetic is not possible on this processor")
def test_portable_values_are_equal_bytes_everywhere(tiny: Path) -> None:
    """Where numbers are meant to change, put the new checksum there; where not, this names a machine that differs."""
    found = sha256(tiny / "results/tiny/values.json")
    assert found == DIGEST.read_text(encoding="utf-8").strip(), f"values.json of tiny has the checksum {found}"


@pytest.mark.slow
def test_native_reaches_the_paper_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a study of one model: every step of every model natively is asked for in tests/arithmetic."""
    for name in PORTABLE:
        monkeypatch.delenv(name, raising=False)
    configfile = tmp_path / "few_clips.yaml"
    configfile.write_text(
        yaml.safe_dump(SMALL["few_clips"] | {"arithmetic": "native"}, sort_keys=False), encoding="utf-8"
    )
    snakemake("paper/main.pdf", folder=tmp_path, study=str(configfile))
    results = tmp_path / "results/few_clips"
    levels = json.loads((results / "verify.json").read_text(encoding="utf-8"))["levels"]
    assert list(levels["asked"]) == ["native"]
    assert list(levels["products"]) == ["mkl"]
    assert "native arithmetic" in (results / "paper/main.tex").read_text(encoding="utf-8")
    assert (results / "paper/main.pdf").read_bytes().startswith(b"%PDF")
