"""Figures draw what there is: a missing model leaves a gap, a single seed is enough, and two draws give equal bytes."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from whatmoves.errors import DataError, NothingToShowError
from whatmoves.figures import (
    animations,
    attention,
    detection,
    error_horizon,
    film,
    predictions,
    quality,
    rollout,
    schedules,
    style,
    swaps,
    trade_off,
    training_curves,
)
from whatmoves.figures.animations import make_animation
from whatmoves.figures.fonts import east_asian
from whatmoves.figures.inputs import FigureInputs
from whatmoves.figures.make import make_figure
from whatmoves.files import read_arrays, write_arrays, write_json
from whatmoves.paper.index import ValueIndex
from whatmoves.paper.writer import Writer
from whatmoves.plugins import figure_kinds, figure_module
from whatmoves.study import Study

STUDY = Study.model_validate(
    {
        "study": "toy",
        "seeds": [0, 1],
        "data": {"moving_digits": None, "push_world": None},
        "models": {
            "disentangled_vae": {"label": "Content/motion VAE"},
            "what_where_push": {"kind": "what_where_vae", "trains_on": ["push_world"]},
            "lstm_vae": {"label": "LSTM-VAE", "seeds": [3]},
            "baseline_vae": None,
            "jepa": {"label": "JEPA", "options": {"steps": 2}},
            "capsule_transformer": None,
            "mean_frame": {"seeds": [0]},
            "copy_last": {"seeds": [0]},
        },
    }
)
PUSH = Study.model_validate(
    {
        "study": "toy",
        "data": {"moving_digits": None, "push_world": None},
        "models": {"jepa": {"trains_on": ["moving_digits", "push_world"]}, "lstm_vae": None},
    }
)
CLIPS, FRAMES = 4, 6
PAST, HORIZON = 2, 4


def video(*lead: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*lead, FRAMES, 1, 8, 8)).astype(np.uint8)


def quality_curves(model: str, seed: int) -> dict[str, list[float]]:
    """Curves of a model that predicts; the JEPA also reads actions and detects."""
    curves = {"predict_psnr_frame": [20.0, 18.0, 16.0, 14.0 + seed], "predict_mse_pixel": [0.01, 0.02, 0.03, 0.04]}
    if model == "jepa":
        curves |= {f"predict_shuffled_{name}": [10.0] * HORIZON for name in ("psnr_frame", "mse_pixel")}
        curves |= {"detection_ap": [0.9, 0.5, 0.2 + 0.2 * seed, 0.1], "detection_persistence": [0.4, 0.3, 0.2, 0.1]}
        curves |= {"detection_chance": [0.03] * HORIZON}
    return curves


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The baseline VAE has no results, nor the capsule transformer; the LSTM-VAE cannot swap and has one seed; the JEPA
    and a floor predict."""
    whole = {"truth": video(CLIPS), "reconstruction": video(CLIPS), "samples": video(8)}
    whole["interpolation_both"] = video(7)
    parts = {name: video(7) for name in ("interpolation_content", "interpolation_motion")}
    parts |= {f"swap_{name}": video(CLIPS) for name in ("content_source", "motion_source", "model", "truth")}
    for model, arrays in {"disentangled_vae": whole | parts, "lstm_vae": whole}.items():
        write_arrays(tmp_path / f"evaluate/moving_digits/{model}/pictures.npz", arrays)
    predicted = {"prediction_past": video(CLIPS)[:, :PAST], "prediction_truth": video(CLIPS)[:, PAST:]}
    predicted |= {name: video(CLIPS)[:, :HORIZON] for name in ("prediction", "prediction_one_step")}
    maps = {name: np.full((CLIPS, 1 + HORIZON, 4, 4), 51, np.uint8) for name in ("detection_truth", "detection")}
    maps["detection"][:, 0] = 255  # foreseen from one frame fewer: this is of a frame that the pictures start from
    looks = np.full((CLIPS, PAST + HORIZON - 1, 2, 4, 4), 51, np.uint8)
    looks[:, -1, 1] = 255
    looking = {"truth": video(CLIPS)[:, : PAST + HORIZON], "attention": looks}
    foreseen = {"jepa": predicted | maps, "copy_last": predicted, "capsule_transformer": looking}
    for model, arrays in foreseen.items():
        write_arrays(tmp_path / f"evaluate/moving_digits/{model}/pictures.npz", arrays)
    for model, seeds in {"jepa": (0, 1), "copy_last": (0,), "blank": (0,)}.items():
        curves = {str(seed): quality_curves(model, seed) for seed in seeds}
        write_json(tmp_path / f"evaluate/moving_digits/{model}/quality.json", {"curves": curves})
    for model, seed, terms in (
        ("disentangled_vae", 0, ["kl_content_nats", "kl_motion_nats"]),
        ("disentangled_vae", 1, ["kl_content_nats", "kl_motion_nats"]),
        ("lstm_vae", 3, ["kl_nats"]),
    ):
        names = [f"validation_{term}" for term in ["reconstruction_nats", *terms]]
        rows = [
            "clips," + ",".join(names),
            "8" + "," * len(names),
            "16" + ",2.0" * len(names),
            "32" + ",1.0" * len(names),
        ]
        path = tmp_path / f"train/moving_digits/{model}/seed-{seed}/history.csv"
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    for model in ("jepa", "disentangled_vae"):  # as if they read actions
        planned = {
            f"seed{seed}_plan_distance_{cost}": np.arange(8) / 40 for seed in (0, 1) for cost in ("pixels", "code")
        }
        write_arrays(tmp_path / f"plan/moving_digits/{model}/tasks.npz", planned)
    names = ("no_action", "random_actions", "simulator")
    floors = {
        f"{name}_seed0_plan_distance{end}": np.arange(8) / 40 for name in names for end in ("", "_pixels", "_places")
    }
    write_arrays(tmp_path / "plan/moving_digits/floors/tasks.npz", {**floors, "tolerance": np.array(0.05)})
    table = {name: video(CLIPS).repeat(3, 2) for name in ("truth", "reconstruction")}
    write_arrays(tmp_path / "evaluate/push_world/what_where_push/pictures.npz", table)
    entry = {"interval": [0.2, 0.6], "seeds": {"0": 0.3, "1": 0.5}, "value": 0.4}
    values = {
        f"moving_digits.{model}.{metric}": entry
        for model in ("disentangled_vae", "lstm_vae", "mean_frame", "blank")
        for metric in ("psnr_frame", "ssim_gauss11", "mse_removed")
    }
    values["moving_digits.disentangled_vae.block_gap"] = entry
    values["moving_digits.disentangled_vae.flicker"] = {"unit": "", **entry, "own": True}
    for model in ("disentangled_vae", "lstm_vae"):
        values |= {
            f"moving_digits.{model}.{name}": entry for name in ("exchange_block", "shift_lost_speed_reconstruct")
        }
    write_json(tmp_path / "values.json", {"values": values})
    return tmp_path


@pytest.mark.parametrize("name", figure_kinds())
def test_every_figure_is_drawn_and_drawn_again_to_the_same_bytes(name: str, results: Path) -> None:
    files = []
    for run in ("first", "second"):
        pdf, png, data = (results / run / f"{name}.{suffix}" for suffix in ("pdf", "png", "npz"))
        make_figure(name, STUDY, results, pdf, png, data)
        files.append([path.read_bytes() for path in (pdf, png, data)])
    assert files[0] == files[1]
    assert files[0][0].startswith(b"%PDF")


@pytest.mark.parametrize("name", ["reconstructions", "samples", "swaps", "predictions"])
def test_every_animation_is_made_and_made_again_to_the_same_bytes(name: str, results: Path) -> None:
    files = []
    for run in ("first", "second"):
        gif, mp4, data = (results / run / f"{name}.{suffix}" for suffix in ("gif", "mp4", "npz"))
        make_animation(name, STUDY, results, gif, mp4, data)
        files.append([path.read_bytes() for path in (gif, mp4, data)])
    assert files[0] == files[1]
    assert files[0][0].startswith(b"GIF89a")


def test_swaps_show_the_models_that_swap(results: Path) -> None:
    data = swaps.collect(FigureInputs(results, STUDY, "moving_digits"))
    assert data["labels"].tolist() == ["Content/motion VAE"]


def test_curves_hold_one_line_a_seed_and_term_and_sum_the_blocks(results: Path) -> None:
    data = training_curves.collect(FigureInputs(results, STUDY, "moving_digits"))
    assert data["labels"].tolist() == ["Content/motion VAE", "LSTM-VAE"]
    lines = set(zip(data["model"].tolist(), data["seed"].tolist(), data["term"].tolist(), strict=True))
    assert lines == {(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 3, 0), (1, 3, 1)}
    two_blocks = data["nats"][(data["model"] == 0) & (data["term"] == 1)][0]
    assert two_blocks.tolist() == [4.0, 2.0]  # content and motion together; the row without a validation is left out


def test_quality_has_a_row_for_models_and_floors_and_a_point_for_each_seed(results: Path) -> None:
    data = quality.collect(FigureInputs(results, STUDY, "moving_digits"))
    assert data["labels"].tolist() == ["Content/motion VAE", "LSTM-VAE", "mean frame", "blank"]
    assert (data["slots"] < 0).tolist() == [False, False, True, True]
    assert data["seeds"].shape == (4, 3, 2)


def test_the_trade_off_needs_both_measures(results: Path) -> None:
    assert trade_off.collect(FigureInputs(results, STUDY, "moving_digits"))["labels"].tolist() == ["Content/motion VAE"]
    write_json(results / "values.json", {"values": {}})
    with pytest.raises(NothingToShowError, match="no model on moving_digits has both a code that was judged"):
        trade_off.collect(FigureInputs(results, STUDY, "moving_digits"))


def test_predictions_show_the_last_frames_given_and_floors_last(results: Path) -> None:
    data = predictions.collect(FigureInputs(results, STUDY, "moving_digits"))
    assert data["labels"].tolist() == ["JEPA", "copy last"]
    assert (data["slots"] < 0).tolist() == [False, True]
    assert data["frames"].tolist() == [0, 1, 2, 3, 4, 5]
    assert data["past"].shape[:2] == (2, PAST)
    assert data["predictions"].shape[:3] == (2, 2, HORIZON)
    assert film.ahead(10).tolist() == [1, 3, 5, 7, 9], "the last frame is among them"
    figure = predictions.draw(data)
    assert len(figure.axes) == 2 * 3  # the truth and two models, of two clips
    truth, model = figure.axes[0].get_position(), figure.axes[2].get_position()
    assert model.x1 == pytest.approx(truth.x1), "what is predicted stands under its truth"
    assert model.width < truth.width


def test_a_figure_of_another_data_set_is_named_by_it(results: Path) -> None:
    shown = {f"prediction_{name}": video(CLIPS)[:, :2].repeat(3, 2) for name in ("past", "truth")}
    write_arrays(results / "evaluate/push_world/jepa/pictures.npz", shown | {"prediction": shown["prediction_past"]})
    files = [results / f"predictions-push_world.{suffix}" for suffix in ("pdf", "png", "npz")]
    make_figure("predictions-push_world", PUSH, results, *files)
    assert read_arrays(files[2])["truth"].shape == (2, 2, 3, 8, 8)
    with pytest.raises(DataError, match="evaluate/drive"):
        predictions.collect(FigureInputs(results, PUSH, "drive"))


def test_the_animation_marks_what_was_given_and_pairs_truth_with_prediction(results: Path) -> None:
    files = [results / f"predictions.{suffix}" for suffix in ("gif", "mp4", "npz")]
    make_animation("predictions", STUDY, results, *files)
    data = read_arrays(files[2])
    assert data["labels"].tolist() == ["JEPA"], "floors are left out"
    assert data["rows"].tolist() == ["truth", "prediction"] * 2
    assert data["to_come"].tolist() == [False] * PAST + [True] * HORIZON
    first_truth, first_prediction, second_truth, _ = data["video"][0]
    assert np.array_equal(first_truth, video(CLIPS)[0])
    assert np.array_equal(first_prediction[PAST:], video(CLIPS)[0, :HORIZON])
    assert np.array_equal(second_truth, video(CLIPS)[1])


@pytest.mark.parametrize("height", [96, 742])
def test_films_show_the_colours_and_the_speed_that_were_meant(height: int, tmp_path: Path) -> None:
    """Of 720 pixels' height and more, video without a word on its colours is shown with others than lower video."""
    frames = np.empty((6, height, 64, 3), np.uint8)
    frames[:] = 222, 44, 52
    frames[:, : height // 2] = 40, 120, 200
    frames[np.arange(6), :8, np.arange(6) * 8] = 255  # something moves
    animations._save_gif(frames, tmp_path / "film.gif")
    animations._save_mp4(frames, tmp_path / "film.mp4")
    with Image.open(tmp_path / "film.gif") as gif:
        delays = [gif.seek(k) or gif.info["duration"] for k in range(gif.n_frames)]
        gif.seek(0)
        first = np.asarray(gif.convert("RGB")).astype(int)
    assert (len(delays), sum(delays)) == (6, 600)
    assert np.abs(first - frames[0]).mean() < 1
    film = imageio_ffmpeg.read_frames(str(tmp_path / "film.mp4"))
    about = next(film)
    shown = [np.frombuffer(frame, np.uint8).reshape(height, 64, 3).astype(int) for frame in film]
    assert (len(shown), about["fps"]) == (6 * animations.MP4_ROUNDS, 10.0)
    assert np.abs(shown[0] - frames[0]).mean() < 2
    said = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-i", tmp_path / "film.mp4"], capture_output=True, text=True
    )
    assert "yuv420p(tv, bt709" in said.stderr


def test_errors_have_a_line_a_seed_and_one_for_their_mean_and_shuffled_actions_apart(results: Path) -> None:
    data = error_horizon.collect(FigureInputs(results, STUDY, "moving_digits"))
    assert data["labels"].tolist() == ["JEPA", "copy last", "blank"]
    assert data["datasets"].tolist() == ["moving_digits"]
    own = (data["measure"] == 0) & (data["model"] == 0) & ~data["shuffled"]
    assert data["seed"][own].tolist() == [0, 1, -1]
    assert data["values"][own][:, -1].tolist() == [14.0, 15.0, 14.5]
    assert data["values"][data["shuffled"] & (data["measure"] == 0)].tolist() == [[10.0] * HORIZON] * 3
    axes = error_horizon.draw(data).axes[0]
    assert len(axes.lines) == 3 + 3 + 2  # seeds and mean, the same with other actions, one line a floor
    assert sum(line.is_dashed() for line in axes.lines) == 3 + 2


def test_floors_are_shown_alone_where_no_model_could_predict(results: Path) -> None:
    (results / "evaluate/moving_digits/jepa/quality.json").unlink()
    (results / "evaluate/moving_digits/jepa/pictures.npz").unlink()
    assert error_horizon.collect(FigureInputs(results, STUDY, "moving_digits"))["labels"].tolist() == [
        "copy last",
        "blank",
    ]
    make_animation("predictions", STUDY, results, *(results / f"predictions.{kind}" for kind in ("gif", "mp4", "npz")))
    assert read_arrays(results / "predictions.npz")["labels"].tolist() == ["copy last"]
    for row in ("copy_last", "blank"):
        (results / f"evaluate/moving_digits/{row}/quality.json").unlink()
    with pytest.raises(NothingToShowError, match="no model predicts"):
        error_horizon.collect(FigureInputs(results, STUDY, "moving_digits"))


def test_detection_reaches_the_last_horizon_with_floors_in_grey(results: Path) -> None:
    data = detection.collect(FigureInputs(results, STUDY, "moving_digits"))
    assert data["labels"].tolist() == ["JEPA"]
    mean = (data["curve"] == 0) & (data["seed"] == detection.MEAN)
    assert data["values"][mean][0] == pytest.approx([0.9, 0.5, 0.3, 0.1])
    axes = detection.draw(data).axes[0]
    assert axes.get_title(loc="left") == detection.TITLE
    assert max(line.get_xdata()[-1] for line in axes.lines) == HORIZON
    assert [line.get_color() for line in axes.lines].count(style.REFERENCE) == 2


def test_the_rollout_shows_where_objects_are_foreseen(results: Path) -> None:
    data = rollout.collect(FigureInputs(results, STUDY, "moving_digits"))
    assert data["labels"].tolist() == ["JEPA"]
    assert len(rollout.draw(data).axes) == 5 * 2
    heat = film.heat(data["foreseen"], (8, 8))
    assert heat.shape == (2, HORIZON, 3, 8, 8)
    assert data["maps_from"] == PAST - 1
    assert heat[0, 0, :, 0, 0].tolist() == [247, 223, 204]  # a fifth of the way from white to the orange 213, 94, 0


def test_registers_stand_below_the_frame_that_they_look_at(results: Path) -> None:
    data = attention.collect(FigureInputs(results, STUDY, "moving_digits"))
    assert data["labels"].tolist() == ["capsule transformer"]
    assert data["frames"].tolist() == [1, 2, 3, 4, 5]  # a window of two frames is numbered by the second
    assert data["looks"][:, -1, 1].min() == 255
    assert len(attention.draw(data).axes) == (1 + 2) * 2


def test_models_with_one_schedule_share_a_line(results: Path) -> None:
    data = schedules.collect(FigureInputs(results, STUDY, "moving_digits"))
    assert data["words"].tolist() == [
        "Content/motion VAE · what where push · LSTM-VAE (β = 0.4)",
        "baseline vae (β = 0.4)",
    ]
    assert data["panel"].tolist() == [0, 0]
    early, late = data["values"][0][[60, -1]]
    assert (early, late) == (pytest.approx((0.15 - 0.1) / 0.4), 1.0)  # starts at a tenth, rises over four


def test_results_that_are_missing_are_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^\S*evaluate/moving_digits: no <model>/pictures.npz; evaluate") as error:
        make_figure("swaps", STUDY, tmp_path, *(tmp_path / f"swaps.{suffix}" for suffix in ("pdf", "png", "npz")))
    assert not isinstance(error.value, NothingToShowError)


def test_a_figure_without_anything_to_show_says_why_in_its_files(tmp_path: Path) -> None:
    for model in ("disentangled_vae", "mean_frame"):
        write_arrays(tmp_path / f"evaluate/moving_digits/{model}/pictures.npz", {"truth": video(CLIPS)})
    files = [tmp_path / f"swaps.{suffix}" for suffix in ("pdf", "png", "npz", "gif", "mp4")]
    make_figure("swaps", STUDY, tmp_path, *files[:3])
    make_animation("swaps", STUDY, tmp_path, *files[3:], tmp_path / "animation.npz")
    for name in ("swaps.npz", "animation.npz"):
        (reason,) = read_arrays(tmp_path / name).values()
        assert "no model on moving digits has pictures of swap content source" in str(reason)
    assert all(path.stat().st_size for path in files)
    writer = Writer(STUDY, ValueIndex("toy", {}), tmp_path)
    assert not writer.has_figure("swaps")
    assert "no model" in writer.empty_figures["swaps"]


LABELS = {  # as long as labels may be printed, and of signs that mean something elsewhere
    "disentangled_vae": "Convolutional VAE without the KL term 40",
    "lstm_vae": "costs $5, not $7: \\beta_1 & \\frac{1}{",
    "jepa": "СОДЕРЖАНИЕ/ДВИЖЕНИЕ WITH WIDE CAPITALS M",
    "capsule_transformer": "ΚάψουλεςΚάψουλεςΚάψουλεςΚάψουλεςΚάψουλες",
    "what_where_push": "Nguyễn x\u0302 " + ("什么移动什么不动什么移动" if east_asian() else "điều gì chuyển động"),
}
LABELLED = STUDY.model_copy(
    update={
        "models": {
            name: entry.model_copy(update={"label": LABELS.get(name, entry.label)})
            for name, entry in STUDY.models.items()
        }
    }
)


def texts_of(figure: Figure) -> list[tuple[str, Bbox]]:
    """What a figure prints, and where, in pixels; no two of them lie over each other, none beyond its edge."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    found = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in found]


@pytest.mark.parametrize("name", figure_kinds())
@pytest.mark.filterwarnings("error:Glyph")
def test_long_labels_are_neither_cut_nor_printed_over_each_other(name: str, results: Path) -> None:
    module = figure_module(name)
    figure = module.draw(module.collect(FigureInputs(results, LABELLED, "moving_digits")))
    width, height = figure.bbox.size
    texts = texts_of(figure)
    starts = [label.replace(" ", "")[:6] for label in LABELS.values()]
    labelled = [(text, box) for text, box in texts if "".join(text.split())[:6] in starts]
    assert labelled or name in ("pipeline", "what_where")
    for text, box in labelled:
        assert box.x0 > -1, text
        assert box.x1 < width + 1, text
        assert box.y0 > -1, text
        assert box.y1 < height + 1, text
        core = box.padded(-1)
        over = [other for other, place in texts if place is not box and Bbox.intersection(core, place.padded(-1))]
        assert over == [], text


def test_a_dollar_is_a_dollar(results: Path) -> None:
    printed = [
        text for text, _ in texts_of(quality.draw(quality.collect(FigureInputs(results, LABELLED, "moving_digits"))))
    ]
    assert any(text.replace("\n", " ") == LABELS["lstm_vae"] for text in printed)


@pytest.mark.parametrize(
    ("label", "printed"),
    [
        ("Two  words\n", "Two words"),
        ("e\u0301", "é"),
        ("a" * 40, "a" * 40),
        ("a" * 30 + "b" * 30, "a" * 24 + "…" + "b" * 15),
    ],
)
def test_labels_are_shortened_in_their_middle(label: str, printed: str) -> None:
    assert style.short(label) == printed


@pytest.mark.parametrize(
    ("text", "letters", "lines"),
    [
        ("Content/motion VAE", 15, ["Content/motion", "VAE"]),
        ("Contents/movements", 15, ["Contents/", "movements"]),
        ("什么移动什么不动", 8, ["什么移动什", "么不动"] if east_asian() else None),
        ("W" * 24, 24, ["W" * 9, "W" * 9, "W" * 6]),
    ],
)
def test_text_is_broken_to_its_room(text: str, letters: int, lines: list[str] | None) -> None:
    if lines is None:
        pytest.skip("no East Asian font on this machine")
    assert style.broken(text, 0.91 if text.isascii() else 0.5, letters).split("\n") == lines
