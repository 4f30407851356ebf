"""The table of costs: what is joined from which file, means and maxima by hand, and counted numbers in the index."""

import csv
from pathlib import Path
from typing import Any

import pytest

from whatmoves.analysis.efficiency import devices, efficiency, read_efficiency, write_efficiency
from whatmoves.analysis.values import build_index
from whatmoves.errors import DataError
from whatmoves.files import write_arrays, write_json
from whatmoves.floors import of_clips
from whatmoves.layout import Layout
from whatmoves.study import Study

STUDY = Study.model_validate(
    {
        "study": "toy",
        "seeds": [3, 4],
        "data": {"clips": {"kind": "push_world"}},
        "models": {
            "lstm_vae": {"trains_on": ["clips"], "label": "A | B"},
            "copy_last": {"trains_on": ["clips"], "seeds": [0]},
        },
    }
)


def results(root: Path) -> Path:
    """All that the table reads, and the floors that only the index does."""
    layout = Layout(root)

    def train(model: str, seed: int, **timings: Any) -> None:
        common = {"clips": 160, "device": "cpu: Core", "threads": 1}
        write_json(layout.run("clips", model, seed) / "timings.json", {**common, **timings})

    train("lstm_vae", 3, seconds=10.0, clips_per_s=16.0, peak_memory_mib=300.0)
    train("lstm_vae", 4, seconds=30.0, clips_per_s=8.0, peak_memory_mib=200.0)
    train("copy_last", 0, seconds=0.0, clips_per_s=None, peak_memory_mib=100.0, clips=0)

    def evaluate(row: str, quality: dict[str, Any], seeds: dict[str, Any] | None) -> None:
        folder = layout.evaluation("clips", row)
        write_json(folder / "quality.json", {"seeds": {"0": {"mse_pixel": 0.1}}, **quality})
        write_arrays(folder / "clips.npz", {})
        if seeds is not None:
            write_json(folder / "timings.json", {"device": "cuda: Card", "threads": 2, "seeds": seeds})

    counted = {"gflops_training_per_clip": 3.0, "gflops_forward_per_clip": 1.25}
    timed = {"3": {"forward_ms_per_clip": 1.0, "generation_ms_per_clip": 4.0}, "4": {"forward_ms_per_clip": 2.0}}
    evaluate("lstm_vae", {"parameters": 1234567, "gflops": counted}, timed)
    evaluate("copy_last", {"parameters": 0, "gflops": {"gflops_forward_per_clip": 0.0}}, {"0": {}})
    for floor in of_clips():
        evaluate(floor, {"parameters": 0}, None)
    return root


def test_the_table_joins_training_and_evaluation(tmp_path: Path) -> None:
    first, second = efficiency(STUDY, results(tmp_path)).rows
    assert first.model_dump() == {
        "dataset": "clips", "model": "lstm_vae", "parameters": 1234567, "gflops_training_per_clip": 3.0,
        "gflops_forward_per_clip": 1.25, "seeds": 2, "training_clips": 160, "training_s": 20.0, "clips_per_s": 12.0,
        "peak_memory_mib": 300.0, "training_device": "cpu: Core", "training_threads": 1, "forward_ms_per_clip": 1.5,
        "generation_ms_per_clip": 4.0, "evaluation_device": "cuda: Card", "evaluation_threads": 2,
    }  # fmt: skip
    assert (second.seeds, second.training_s, second.clips_per_s, second.forward_ms_per_clip) == (1, 0.0, None, None)
    assert (second.gflops_training_per_clip, second.gflops_forward_per_clip) == (None, 0.0)
    assert devices((first, second)) == ["cpu: Core, 1 thread", "cuda: Card, 2 threads"]


def test_it_is_written_three_times_over(tmp_path: Path) -> None:
    write_efficiency(STUDY, results(tmp_path))
    assert read_efficiency(tmp_path / "efficiency.json") == efficiency(STUDY, tmp_path)
    with (tmp_path / "efficiency.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["clips_per_s"] for row in rows] == ["12.0", ""]
    assert rows[0]["training_device"] == "cpu: Core"
    lines = (tmp_path / "efficiency.md").read_text(encoding="utf-8").splitlines()
    assert lines[2].startswith("Ran on cpu: Core, 1 thread; cuda: Card, 2 threads.")
    assert lines[6] == r"| clips | A \| B | 1,234,567 | 3 | 1.25 | 20 | 12 | 300 | 1.50 | 4.00 |"
    assert lines[7] == "| clips | copy last | 0 | – | 0 | 0 | – | 100 | – | – |"


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    timings = Layout(results(tmp_path)).run("clips", "lstm_vae", 4) / "timings.json"
    timings.unlink()
    with pytest.raises(DataError, match=rf"^{timings}: no such file; run the step that makes it$"):
        efficiency(STUDY, tmp_path)


def test_counted_operations_enter_the_value_index_and_times_do_not(tmp_path: Path) -> None:
    hypotheses = tmp_path / "hypotheses.yaml"
    hypotheses.write_text("hypotheses: []\n", encoding="utf-8")
    values = build_index(STUDY, results(tmp_path / "results"), hypotheses)["values"]
    assert values["clips.lstm_vae.gflops_training_per_clip"] == {
        "value": 3.0, "label": "operations of a training step, per clip", "unit": "GFLOP", "format": ".3g",
        "better": "", "interval": None, "n": None, "seeds": {}, "files": ["evaluate/clips/lstm_vae/quality.json"],
    }  # fmt: skip
    assert "clips.copy_last.gflops_training_per_clip" not in values
    assert values["clips.lstm_vae.parameters"]["value"] == 1234567
    assert not [name for name in values if "_ms_" in name or name.endswith("_s")]
