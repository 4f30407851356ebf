import json
import re

import pytest
from toy_project import Project

from whatmoves.errors import ConfigError, ProofError
from whatmoves.provenance.closure import combined
from whatmoves.provenance.explain import explain
from whatmoves.provenance.receipts import read_receipt


def test_the_chain_goes_from_the_number_to_the_data(built: Project):
    text = explain("toy.alpha.psnr_frame", built.root).text()
    assert text.startswith(
        "toy.alpha.psnr_frame = 23.41 dB [23.10, 23.80], n = 1000\n  seed 0: 23.30\n  seed 1: 23.50\n"
    )
    places = [
        text.index(word)
        for word in (
            "values.receipt.json",
            "evaluate/toy/alpha/receipt.json",
            "data/toy/receipt.json",
            "train/toy/alpha/seed-0/receipt.json",
            "train/toy/alpha/seed-1/receipt.json",
        )
    ]
    assert places == sorted(places)
    assert text.count("data/toy/receipt.json") == 1
    assert "beta" not in text.split("from evaluate/toy/alpha")[1]
    core = read_receipt(built.root / "train/toy/alpha/seed-0/receipt.json")["core"]
    assert f"code     {combined(core['code'])} ({len(core['code'])} modules), commit no repository" in text


def test_a_count_has_no_seeds_and_no_interval(built: Project):
    assert (
        explain("toy.alpha.parameters", built.root)
        .text()
        .startswith("toy.alpha.parameters = 4,791,681\n\nin values.json")
    )


def test_a_misspelt_value_gets_a_suggestion(built: Project):
    with pytest.raises(ConfigError, match=r"no value 'toy\.alpha\.psnr'; did you mean toy\.alpha\.psnr_frame"):
        explain("toy.alpha.psnr", built.root)
    with pytest.raises(ConfigError, match=r"no value 'psnr'; did you mean toy\.\w+\.psnr_frame"):
        explain("psnr", built.root)


def test_a_number_without_a_receipt_has_no_chain(built: Project):
    (built.root / "values.receipt.json").unlink()
    with pytest.raises(ProofError, match=r"values\.json: no receipt covers it"):
        explain("toy.alpha.psnr_frame", built.root)


def test_the_chain_as_data_names_what_the_text_names(built: Project):
    chain = explain("toy.alpha.psnr_frame", built.root)
    data, text = json.loads(json.dumps(chain.as_json())), chain.text()
    assert data["value"]["value"] == pytest.approx(23.41, abs=0.005)
    assert [step["job"]["receipt"] for step in data["steps"]] == re.findall(r"receipt  (.*)", text)
    assert data["steps"][0]["files"] == ["values.json"]
    assert all(step["files"] and step["job"]["command"] in text for step in data["steps"])
