"""Templates to TeX: strict names, escaped text, values that link and are recorded."""

from pathlib import Path

import pytest
from tools import ROOT

from whatmoves.data.cards import CARDS
from whatmoves.errors import PaperError
from whatmoves.paper.appendix import Appendix
from whatmoves.paper.build import _all_shown
from whatmoves.paper.efficiency import ReferenceTimes
from whatmoves.paper.index import Entry, Stands, ValueIndex
from whatmoves.paper.render import render
from whatmoves.paper.searched import ReportedSearch
from whatmoves.paper.tex import code, count, escape, listing, number
from whatmoves.paper.writer import Writer
from whatmoves.study import Study

STUDY = Study.model_validate(
    {"study": "toy", "data": {"moving_digits": None}, "models": {"lstm_vae": {"label": "A & B"}, "mean_frame": None}}
)
ENTRIES = {
    "moving_digits.lstm_vae.psnr_frame": Entry(value=22.674, unit="dB", interval=(22.1, 23.2), n=40, format=".2f"),
    "moving_digits.mean_frame.psnr_frame": Entry(value=18.2, unit="dB", interval=(18.0, 18.4), format=".2f"),
    "moving_digits.lstm_vae.mse_removed": Entry(value=0.635, format=".1%"),
    "moving_digits.lstm_vae.parameters": Entry(value=1193729, format=",d"),
    "moving_digits.lstm_vae.predict_gain_db": Entry(value=1.2, unit="dB", interval=(0.9, 1.5), floor="mean_frame"),
}
GAINS = {"jepa": (0.9, 1.5), "capsule_transformer": (-0.2, 0.4), "what_where_vae": (-1.5, -0.9)}


def index_of(study: str, entries: dict[str, Entry]) -> ValueIndex:
    """An index whose rows stand as their intervals do; a value without one stands nowhere."""

    def ends(entry: Entry) -> tuple[float, float]:
        return entry.interval or (float("-inf"), float("inf"))

    stands = {}
    for dataset, metric in {(value_id.split(".")[0], value_id.split(".")[2]) for value_id in entries}:
        of = {key.split(".")[1]: entry for key, entry in entries.items() if key.endswith(f".{metric}")}
        table = [
            "".join(
                ">" if ends(one)[0] > ends(two)[1] else "<" if ends(one)[1] < ends(two)[0] else "="
                for two in of.values()
            )
            for one in of.values()
        ]
        stands[f"{dataset}.{metric}"] = Stands(rows=tuple(of), table=tuple(table))
    return ValueIndex(study, entries, stands=stands)


def rendered(text: str, folder: Path) -> str:
    (folder / "main.tex.j2").write_text(text, encoding="utf-8")
    writer = Writer(STUDY, index_of("toy", ENTRIES), folder)
    searched, times = ReportedSearch(writer, folder / "search.json"), ReferenceTimes(writer, folder / "times.json")
    return render(folder, writer, Appendix(writer, folder), searched, times)


def section(name: str, study: Study, entries: dict[str, Entry]) -> str:
    """A section of the paper itself, with spaces and line breaks made one space."""
    nowhere = Path("nowhere")
    writer = Writer(study, index_of(study.study, entries), nowhere)
    searched, times = ReportedSearch(writer, nowhere / "search.json"), ReferenceTimes(writer, nowhere / "times.json")
    source = render(ROOT / "paper", writer, Appendix(writer, nowhere), searched, times, name=f"sections/{name}.tex.j2")
    return " ".join(source.split())


def test_a_value_is_formatted_and_linked_and_its_first_use_is_the_way_back(tmp_path: Path) -> None:
    found = rendered(
        '<< value("moving_digits.lstm_vae.psnr_frame") >>, << value("moving_digits.lstm_vae.psnr_frame") >>', tmp_path
    )
    link = r"\result{moving_digits.lstm_vae.psnr_frame}{22.67\,dB}"
    assert found == rf"\anchor{{use:moving_digits.lstm_vae.psnr_frame}}{link}, {link}"


@pytest.mark.parametrize(
    ("expression", "tex"),
    [
        ('value("moving_digits.lstm_vae.mse_removed")', r"{63.5\,\%}"),
        ('value("moving_digits.lstm_vae.parameters")', r"{1\,193\,729}"),
        ('value("moving_digits.lstm_vae.psnr_frame", interval=True)', r"[22.10, 23.20]"),
        ('label("lstm_vae")', r"A \& B"),
        ('"50% of $x_1"', r"50\% of \$x\_1"),
        ('setting("training.batch_size")', r"\settinglink{training.batch_size}{32}"),
        ('compared("moving_digits.lstm_vae.psnr_frame", "moving_digits.mean_frame.psnr_frame")', "above"),
        ('standings("moving_digits", "psnr_frame")', r"better than \emph{mean frame}"),
        ('beside_zero("moving_digits.lstm_vae.predict_gain_db")', "above"),
        ('beside_zero("moving_digits.lstm_vae.mse_removed")', "not distinguishable from"),
        ('label(floor_of("moving_digits.lstm_vae.predict_gain_db"))', "mean frame"),
        ('see_figure("predictions-push_world")', r"\cref{fig:predictions-push_world}"),
    ],
)  # fmt: skip
def test_expressions(expression: str, tex: str, tmp_path: Path) -> None:
    assert tex in rendered(f"<< {expression} >>", tmp_path)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            '\n<< value("moving_digits.lstm_vae.psnr_fram") >>',
            "main.tex.j2:2: no value 'moving_digits.lstm_vae.psnr_fram'",
        ),
        ("<< nonsense >>", "'nonsense' is undefined"),
        ("<< 3 >>", "gives int 3; print results with value(id)"),
        ('<< setting("training.clip") >>', "no setting 'training.clip' in study 'toy'; nearest: training.clips"),
        ("<% if %>", "main.tex.j2:1:"),
        ('<< floor_of("moving_digits.lstm_vae.psnr_frame") >>', "is over no floor; ask it of a gain"),
    ],
)
def test_what_a_template_may_not_do(template: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(PaperError) as error:
        rendered(template, tmp_path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_figure_that_is_drawn_and_shown_nowhere_fails_the_build(tmp_path: Path) -> None:
    writer = Writer(STUDY, index_of("toy", ENTRIES), tmp_path)
    _all_shown(STUDY, writer)  # nothing is drawn
    (tmp_path / "pipeline.pdf").touch()
    with pytest.raises(PaperError, match=r"^figure pipeline is drawn, but no section shows it; call figure\('pipeline"):
        _all_shown(STUDY, writer)
    writer.figure("pipeline", str)
    _all_shown(STUDY, writer)


def test_floors_of_the_study_are_described_in_the_order_of_tables() -> None:
    models = {"linear_extrapolation": None, "low": {"kind": "mean_frame", "label": "Low"}, "pca": None}
    study = Study.model_validate({"study": "toy", "data": {"moving_digits": None}, "models": models})
    found = section("systems", study, {})
    assert r"black frames; \emph{Low} shows the average frame of the training set; \emph{linear extrapolation}" in found
    assert r"as it last did; \emph{blurred truth}" in found


def test_text_from_outside_cannot_become_tex() -> None:
    assert escape(r"\input{/etc/passwd}") == r"\textbackslash{}input\{/etc/passwd\}"
    assert escape("a_b & 5% #1 ~ ^") == r"a\_b \& 5\% \#1 \textasciitilde{} \textasciicircum{}"
    assert code("a_b/c") == r"\texttt{a\_\allowbreak{}b/\allowbreak{}c}"


def predicting(**more: Entry) -> tuple[Study, dict[str, Entry]]:
    """A study with three predictors, above, at and below the floor, and their values."""
    entries = {"moving_digits.mean_frame.predict_psnr_frame": Entry(value=15.0, unit="dB", format=".2f")}
    for model, (low, high) in GAINS.items():
        middle = (low + high) / 2
        gain = Entry(value=middle, unit="dB", interval=(low, high), format="+.2f", floor="mean_frame")
        entries[f"moving_digits.{model}.predict_gain_db"] = gain
        entries[f"moving_digits.{model}.predict_psnr_frame"] = Entry(value=15 + middle, unit="dB", format=".2f")
    models = {**dict.fromkeys(GAINS), "mean_frame": None}
    data = {"moving_digits": {"past_frames": 8}}
    study = Study.model_validate({"study": "toy", "data": data, "models": models})
    return study, entries | {f"moving_digits.jepa.{name}": entry for name, entry in more.items()}


def test_a_prediction_is_said_to_beat_its_floor_only_where_its_interval_does() -> None:
    found = section("results_prediction", *predicting())
    assert r"Models see \settinglink{data.moving_digits.past_frames}{8} frames of a clip" in found
    assert r"The best floor is \emph{mean frame}, at" in found
    assert r"Better than it: \textbf{jepa} (\anchor" in found
    assert r"Not to be told from it: \textbf{capsule transformer} (" in found
    assert r"Worse than it: \textbf{what where vae} (" in found
    assert "Under the actions" not in found
    assert r"\subsection{Where it will be" not in found


def test_actions_are_said_to_be_used_only_where_others_cost_something() -> None:
    used = section("results_prediction", *predicting(action_cost_db=Entry(value=0.4, interval=(0.2, 0.6))))
    assert r"a model that uses its own loses: \textbf{jepa} (" in used
    unused = section("results_prediction", *predicting(action_cost_db=Entry(value=0.1, interval=(-0.2, 0.4))))
    assert r"Nothing shows that actions are used by \textbf{jepa} (" in unused


def test_detection_is_told_up_to_the_last_horizon() -> None:
    names = ("detection_map", "detection_ap_1", "detection_ap_2", "detection_ap_7", "detection_persistence_map")
    gain = Entry(value=-0.1, interval=(-0.2, -0.05))
    found = section("results_prediction", *predicting(**dict.fromkeys(names, Entry(value=0.5)), detection_gain=gain))
    assert r"& AP at 1\,$\uparrow$ & AP at 2\,$\uparrow$ & AP at 7\,$\uparrow$ & Persistence" in found
    assert r"worse is \textbf{jepa} (" in found


def test_what_failed_names_predictors_that_are_no_better_than_their_floor() -> None:
    found = section("failures", *predicting())
    assert r"the capsule transformer cannot be told from \emph{mean frame}" in found
    assert r"the what where vae stays below \emph{mean frame}" in found
    assert "jepa" not in found


def test_a_study_without_predictions_says_nothing_of_them() -> None:
    entries = {name: entry for name, entry in ENTRIES.items() if "predict" not in name}
    assert section("results_prediction", STUDY, entries) == ""
    assert "closed loop" not in section("measures", STUDY, entries)
    assert "closed loop" in section("measures", *predicting())
    assert "published number" not in section("limits", STUDY, entries)


def test_runs_that_stopped_early_are_named_with_their_seeds_and_their_own_patience() -> None:
    models = {"lstm_vae": {"training": {"patience": 4}}, "baseline_vae": {"seeds": [0]}, "pca": None}
    training = {"patience": 3}
    study = Study.model_validate(
        {"study": "toy", "data": {"moving_digits": None}, "models": models, "training": training}
    )
    of = "moving_digits.{}.clips_trained".format
    entries = {
        of("lstm_vae"): Entry(value=5000, seeds={"0": 4000, "2": 6000}, format=",d"),
        of("baseline_vae"): Entry(value=800, seeds={"0": 800}, format=",d"),
    }
    found = section("data", study, entries)
    assert "With two of three seeds, training the lstm vae on" in found
    assert r"{5000} clips on average, when \settinglink{models.lstm_vae.training.patience}{4} validations" in found
    assert "With one of one seed, training the baseline vae on" in found
    assert r"{800} clips, when \settinglink{training.patience}{3} validations in a row" in found
    assert found.count("stopped early") == 2
    assert "stopped early" not in section("data", study, {})


def test_numbers_in_figures() -> None:
    assert [number(text) for text in ("1,234", "-12,345.67", "63.5%")] == [
        "1234",
        r"\textminus{}12\,345.67",
        r"63.5\,\%",
    ]
    assert [number(text) for text in ("+3.2", "-0.00", "0")] == ["3.2", "0.00", "0"]
    assert number("1e-05") == r"1\,$\times$\,$10^{-5}$"
    for text in ("", "nan", "1.2.3", "$x$"):
        with pytest.raises(ValueError, match="is not a numeral"):
            number(text)


def test_numbers_and_lists_in_words() -> None:
    assert [count(n) for n in (0, 2, 12, 13)] == ["no", "two", "twelve", "13"]
    assert listing(["a", "b", "c"]) == "a, b and c"
    assert listing(["a"]) == "a"


@pytest.mark.parametrize(("more", "kind"), [(0, "tabular"), (2, "longtable")])
def test_the_table_of_data_sets_is_that_of_the_cards_and_knows_no_others(more: int, kind: str) -> None:
    """A few rows float: below a figure at the top of a page a longtable runs over its end. Many may need pages."""
    data = {"moving_digits": None, "my_drive": {"kind": "recordings"}, "theirs": {"kind": "their_module.world"}}
    data |= {f"digits_{n}": {"kind": "moving_digits"} for n in range(more)}
    study = Study.model_validate({"study": "toy", "data": data, "models": {"mean_frame": None}})
    text = section("data", study, {})
    table = text[text.index(rf"\begin{{{kind}}}") : text.index(rf"\end{{{kind}}}")]
    assert text.count("longtable") == 2 * (kind == "longtable")
    digits, drive, theirs = table.split(r"\multicolumn{4}")[1:4]
    licence = r"\href{https://spdx.org/licenses/CC-BY-4.0.html}{CC BY}"  # its version is a number: in the link alone
    assert rf"{licence} & {CARDS['moving_digits'].splits} &" in digits
    assert r"\citep{alpaydin1998optical,srivastava2015unsupervised}" in digits
    assert escape(CARDS["recordings, sample drive"].what) in drive
    assert code("their_module.world") in theirs
    assert theirs.count("not known") == 3
    assert "bair" not in table
