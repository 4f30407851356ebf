"""What the paper prints of files kept with the source: a reference run's times, the record of a search."""

from pathlib import Path
from typing import Any

import pytest
from tools import ROOT

from whatmoves.errors import PaperError
from whatmoves.files import write_json
from whatmoves.paper.appendix import Appendix
from whatmoves.paper.efficiency import ReferenceTimes
from whatmoves.paper.index import Entry, ValueIndex
from whatmoves.paper.render import environment, render
from whatmoves.paper.searched import ReportedSearch
from whatmoves.paper.writer import Writer
from whatmoves.study import Study

STUDY = Study.model_validate(
    {
        "study": "toy",
        "seeds": [0, 1],
        "data": {"moving_digits": None},
        "models": {
            "lstm_vae": {"label": "A & B", "training": {"clips": 100}},
            "jepa": {"label": "JEPA", "training": {"clips": 50}},
            "mean_frame": None,
        },
    }
)
ROW = {
    "dataset": "moving_digits", "model": "lstm_vae", "parameters": 1200, "gflops_training_per_clip": 0.5,
    "gflops_forward_per_clip": None, "seeds": 2, "training_clips": 16000, "training_s": 1234.5678, "clips_per_s": 12.96,
    "peak_memory_mib": 512.0, "training_device": "cpu: One_Core", "training_threads": 1, "forward_ms_per_clip": 1.005,
    "generation_ms_per_clip": None, "evaluation_device": "cpu: One_Core", "evaluation_threads": 1,
}  # fmt: skip


def writer(folder: Path) -> Writer:
    values = {
        "moving_digits.lstm_vae.parameters": Entry(value=1193729, format=",d"),
        "moving_digits.lstm_vae.gflops_training_per_clip": Entry(value=0.1234, unit="GFLOP", format=".3g"),
        "moving_digits.mean_frame.parameters": Entry(value=0, format=",d"),
    }
    return Writer(STUDY, ValueIndex("toy", values), folder)


def times(folder: Path, *rows: dict[str, Any], study: str = "toy") -> ReferenceTimes:
    write_json(folder / "times.json", {"study": study, "rows": list(rows)})
    return ReferenceTimes(writer(folder), folder / "times.json")


def searched(folder: Path, models: dict[str, Any]) -> ReportedSearch:
    write_json(folder / "search.json", {"study": "toy", "models": models})
    return ReportedSearch(writer(folder), folder / "search.json")


def found(clips: int, score: str, *points: dict[str, Any], seeds: tuple[int, ...] = (100,)) -> dict[str, Any]:
    errors = {str(seed): 0.1 for seed in seeds}
    trials = [{"point": point, "validation_mse_pixel": errors} for point in points]
    return {"clips": clips, "score": score, "trials": trials}


def section(name: str, folder: Path, search: ReportedSearch, clock: ReferenceTimes) -> str:
    """One of our own sections, rendered for the toy study."""
    text = (ROOT / "paper/sections" / name).read_text(encoding="utf-8")
    (folder / "main.tex.j2").write_text(text, encoding="utf-8")
    shown = writer(folder)
    return render(folder, shown, Appendix(shown, folder), search, clock)


def test_times_are_formatted_and_labelled(tmp_path: Path) -> None:
    kept = times(tmp_path, ROW, {**ROW, "model": "gone"}, {**ROW, "model": "mean_frame", "parameters": 0})
    assert kept.rows() == (
        r"\anchor{times:1}\texttt{moving\_\allowbreak{}digits} & A \& B & 16\,000 & 1235 & 13 & 512 & "
        r"1.00 & -- \\"
    )
    assert kept.devices() == r"cpu: One\_Core, 1 thread"
    on_a_gpu = times(tmp_path, ROW, {**ROW, "model": "jepa", "training_device": "cuda: X", "training_threads": 4})
    assert on_a_gpu.devices() == r"cpu: One\_Core, 1 thread and cuda: X, 4 threads"


def test_the_cost_section_stands_with_and_without_a_reference_run(tmp_path: Path) -> None:
    nothing = searched(tmp_path, {})
    without = section("appendix_efficiency.tex.j2", tmp_path, nothing, times(tmp_path))
    assert r"\result{moving_digits.lstm_vae.gflops_training_per_clip}{0.123}" in without
    assert "Training step (GFLOP)" in without
    assert "Times of the reference run" not in without
    kept = section("appendix_efficiency.tex.j2", tmp_path, nothing, times(tmp_path, ROW))
    assert r"kept with the source, on cpu: One\_Core, 1 thread; nothing else" in kept
    assert r"& 1235 & 13 &" in kept


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"study": "other", "rows": []}, "of study 'other', not 'toy'; put that study's there"),
        ({"study": "toy", "rows": [{**ROW, "training_s": "long"}]}, "rows.0.training_s: "),
        ({"study": "toy", "rows": [{**ROW, "speed": 1}]}, "rows.0.speed: "),
        ([], ": "),
    ],
)
def test_times_of_another_making_are_refused(content: Any, message: str, tmp_path: Path) -> None:
    write_json(tmp_path / "times.json", content)
    with pytest.raises(PaperError) as error:
        ReferenceTimes(writer(tmp_path), tmp_path / "times.json")
    assert str(error.value).startswith(f"{tmp_path / 'times.json'}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


LIKELIHOODS = [
    {"training.learning_rate": rate, "options.reconstruction": kind} for rate in (0.1, 0.2) for kind in ("bce", "mse")
]
STEPS = [{"training.learning_rate": rate, "options.steps": steps, "options.fixed": 1} for rate in (0.1, 0.2)
         for steps in (1, 4)]  # fmt: skip


def test_the_search_is_told_as_it_was(tmp_path: Path) -> None:
    models = {
        "lstm_vae": found(100, "reconstruction", *LIKELIHOODS),
        "jepa": found(100, "prediction", *STEPS),
        "cvae": found(7, "prediction", *STEPS[:1]),  # no model of the study: not spoken of
    }
    text = " ".join(section("data.tex.j2", tmp_path, searched(tmp_path, models), times(tmp_path)).split())
    for sentence in (
        "four points each, every point trained with one seed and the best again with others, none of them a seed of "
        "this study, all on the same budget of clips, and scored by squared error on validation clips.",
        r"For the A \& B it compared \texttt{learning\_\allowbreak{}rate} and \texttt{reconstruction}, judged by "
        r"reconstructions. For the JEPA it compared \texttt{learning\_\allowbreak{}rate} and \texttt{steps}, judged by "
        r"closed-loop predictions. Its record",
        r"config/\allowbreak{}search/\allowbreak{}toy",
    ):
        assert sentence in text


def test_what_is_not_so_is_not_said(tmp_path: Path) -> None:
    other = {
        "lstm_vae": found(100, "reconstruction", *LIKELIHOODS, seeds=(1, 2)),
        "jepa": found(50, "prediction", *STEPS),
    }
    text = " ".join(section("data.tex.j2", tmp_path, searched(tmp_path, other), times(tmp_path)).split())
    assert "the best again with others, each on its model's budget of clips, and scored" in text
    assert "declared search" not in section("data.tex.j2", tmp_path, searched(tmp_path, {}), times(tmp_path))


def test_a_search_of_shorter_runs_is_told_as_one(tmp_path: Path) -> None:
    shorter = {"lstm_vae": found(20, "reconstruction", *LIKELIHOODS), "jepa": found(10, "prediction", *STEPS)}
    text = " ".join(section("data.tex.j2", tmp_path, searched(tmp_path, shorter), times(tmp_path)).split())
    assert r"each on 20\,\% of its model's budget of clips, and scored" in text


def test_an_unfinished_search_is_refused(tmp_path: Path) -> None:
    models = {"lstm_vae": found(1, "reconstruction", *LIKELIHOODS), "jepa": found(1, "prediction", *STEPS[:3])}
    with pytest.raises(PaperError, match=r"\(lstm_vae 4, jepa 3\); finish `whatmoves search`$"):
        searched(tmp_path, models)
    write_json(tmp_path / "search.json", {"study": "toy", "models": {"jepa": {"clips": 1}}})
    with pytest.raises(PaperError, match=r"models\.jepa\.trials: .*; not a record of `whatmoves search`$"):
        ReportedSearch(writer(tmp_path), tmp_path / "search.json")


def test_templates_of_ours_are_well_formed() -> None:
    for path in (ROOT / "paper").rglob("*.tex.j2"):
        environment(ROOT / "paper").parse(path.read_text(encoding="utf-8"))
