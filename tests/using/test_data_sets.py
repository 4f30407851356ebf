"""`whatmoves data info`, `preview` and `card` as their users meet them, and the line that the rule calls."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from whatmoves.cli import build_parser, main
from whatmoves.using.data_preview import FRAME_PX, enlarged, zoom_of
from whatmoves.using.data_set import rates_hz

STUDY = """
study: mine
data:
  moving_digits: {options: {image_px: 16, digit_px: 8, frames: 4, validation_clips: 3, test_clips: 5}}
  drive:
    kind: recordings
    options: {image_px: 16, frames: 4, validation_clips: 4, test_clips: 4, sample_sessions: 4, sample_frames: 24}
models: {mean_frame: {trains_on: [moving_digits, drive]}}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study and both of its data sets, made as the rule makes them."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "mine.yaml").write_text(STUDY, encoding="utf-8")
    for name in ("moving_digits", "drive"):
        whatmoves("data", "--dataset", name, folder=folder)
    return folder


def whatmoves(*arguments: str, folder: Path, code: int = 0) -> None:
    """Run the command on the study in `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with pytest.raises(SystemExit) as end:
            main([*arguments, "--configfile", "mine.yaml"])
    assert end.value.code == code


def test_the_rule_and_a_person_may_write_their_options_on_either_side() -> None:
    parse = build_parser().parse_args
    rule = parse(["data", "--configfile", "a.yaml", "--dataset", "drive", "--expect", "1-2-3"])
    assert (rule.dataset, rule.expect, str(rule.configfile), rule.action) == ("drive", "1-2-3", "a.yaml", None)
    for words in (["--configfile", "a.yaml", "info", "drive"], ["info", "drive", "--configfile", "a.yaml"]):
        asked = parse(["data", *words])
        assert (str(asked.configfile), str(asked.results), asked.name) == ("a.yaml", "results", "drive")
    assert str(parse(["data", "info", "drive"]).configfile) == "config/config.yaml"


def test_info_tells_what_is_in_the_files(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whatmoves("data", "info", "moving_digits", "--json", folder=made)
    facts = json.loads(capsys.readouterr().out)
    folder = made / "results/mine/data/moving_digits"
    with np.load(folder / "test.npz") as stored:
        video = stored["video"]
    test = facts["parts"]["test"]
    assert facts["made"]
    assert (test["clips"], facts["parts"]["validation"]["clips"]) == (5, 3)
    assert facts["clip"] == {"frames": 4, "channels": 1, "height": 16, "width": 16, "actions": 0, "states": 0}
    values = test["intensities"]
    assert (values["min"], values["max"]) == (video.min(), video.max())
    assert values["mean"] == pytest.approx(video.mean())
    assert values["deviation"] == pytest.approx(video.std())
    assert values["tones"]["black (0)"] == pytest.approx((video == 0).mean())
    assert sum(values["tones"].values()) == pytest.approx(1)
    assert facts["roles"]["class_1"]["role"] == "content"
    assert test["factors"]["speed_1"].keys() == {"min", "quarter", "middle", "three_quarters", "max"}
    receipt = json.loads((folder / "receipt.json").read_text(encoding="utf-8"))
    recorded = receipt["core"]["outputs"]["data/moving_digits/test.npz"]
    assert facts["checksums"]["test.npz"] == recorded
    assert facts["card"]["licence"] == "CC-BY-4.0"


def test_info_of_a_set_without_content_is_a_page_of_words(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whatmoves("data", "info", "drive", folder=made)
    page = capsys.readouterr().out
    for words in (
        "drive: a data set of kind recordings in the study mine",
        "a clip: 4 frames of 16×16 pixels, colour; 4 actions and no states a frame",
        "frames a second",
        "test: 4 clips; values",
        "session (derived, discrete)",
        "statistics.json",
        "  - action 1 never changes within all clips: it is 0",
    ):
        assert words in page


def test_what_is_not_made_is_drawn_or_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.yaml").write_text(STUDY, encoding="utf-8")
    whatmoves("data", "info", "moving_digits", folder=tmp_path)
    page = capsys.readouterr().out
    assert "not made yet; `whatmoves data --configfile mine.yaml --dataset moving_digits` makes them" in page
    assert "train: a sample of 256 clips" in page
    for action in ("info", "preview", "card"):
        whatmoves("data", action, "drive", folder=tmp_path, code=2)
        [line] = capsys.readouterr().err.splitlines()
        assert "`whatmoves data --configfile mine.yaml --dataset drive`" in line
    whatmoves("data", "info", "drives", folder=tmp_path, code=2)
    assert "'drives' is no data set of this study; did you mean 'drive'?" in capsys.readouterr().err
    whatmoves("data", folder=tmp_path, code=2)
    assert "--dataset names the data set to make" in capsys.readouterr().err


def test_pixels_of_a_preview_are_those_of_the_clips(made: Path, tmp_path: Path) -> None:
    whatmoves("data", "preview", "moving_digits", "--out", str(tmp_path), folder=made)
    zoom = zoom_of(16, 16)
    assert (zoom, zoom * 16) == (6, FRAME_PX)
    with np.load(made / "results/mine/data/moving_digits/test.npz") as stored:
        first = stored["video"][0]
    with Image.open(tmp_path / "sheet.png") as sheet:
        picture = np.asarray(sheet)
    assert holds(picture, enlarged(first[0], zoom))
    with Image.open(tmp_path / "clips.gif") as moving:
        assert moving.n_frames == 4
        for t in range(4):
            moving.seek(t)
            assert holds(np.asarray(moving.convert("RGB")), enlarged(first[t], zoom))
    about = (tmp_path / "about.txt").read_text(encoding="utf-8")
    assert "test: 5 clips; values 0 …" in about
    assert "what is odd about it:" in about


def holds(picture: np.ndarray, tile: np.ndarray) -> bool:
    """Whether a picture `[H, W, 3]` shows a tile somewhere, pixel for pixel."""
    h, w, _ = tile.shape
    windows = np.lib.stride_tricks.sliding_window_view(picture[..., 0], (h, w))
    starts = np.argwhere((windows[..., h // 2, :] == tile[h // 2, :, 0]).all(-1))
    return any(np.array_equal(picture[y : y + h, x : x + w], tile) for y, x in starts)


def test_a_croissant_card_stands_beside_the_clips_and_verify_lets_it_stand(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whatmoves("data", "card", "moving_digits", folder=made)
    out = made / "results/mine/data/moving_digits/croissant.json"
    assert capsys.readouterr().out == "results/mine/data/moving_digits/croissant.json\n"
    card = json.loads(out.read_text(encoding="utf-8"))
    assert [file["contentUrl"] for file in card["distribution"]] == [
        "test.csv", "test.npz", "validation.csv", "validation.npz",
    ]  # fmt: skip
    assert [records["@id"] for records in card["recordSet"]] == ["test", "validation"]
    assert "alpaydin1998optical" in card["citeAs"]
    whatmoves("verify", folder=made, code=1)  # of a study whose models are not trained
    assert "croissant" not in capsys.readouterr().out
    whatmoves("data", "card", "moving_digits", "--out", "cards/mine.json", folder=made)
    moved = json.loads((made / "cards/mine.json").read_text(encoding="utf-8"))
    assert moved["distribution"][0]["contentUrl"] == "../results/mine/data/moving_digits/test.csv"
    assert moved["recordSet"] != []


def test_rates_are_those_of_videos_or_of_a_recordings_frames(tmp_path: Path) -> None:
    assert rates_hz(tmp_path) is None
    runs, times_s = np.array([0, 0, 0, 1, 1]), np.array([0, 0.1, 0.2, 50, 50.1])
    np.savez(tmp_path / "validation.npz", train_runs=runs, train_times_s=times_s)
    assert rates_hz(tmp_path) == pytest.approx((10, 10))
    videos = [{"frames_per_s": 25.0}, {"frames_per_s": None}, {"frames_per_s": 30.0}]
    (tmp_path / "videos.json").write_text(json.dumps({"videos": videos}), encoding="utf-8")
    assert rates_hz(tmp_path) == (25, 30)


def test_frames_of_two_channels_show_the_first_and_large_ones_stay() -> None:
    frame = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    shown = enlarged(frame, 2)
    assert shown.shape == (6, 8, 3)
    assert (shown[::2, ::2] == frame[0][..., None]).all()
    assert zoom_of(120, 300) == 1
