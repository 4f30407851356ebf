"""The explorer's folder: what it holds, that words stay words, how large it gets, and what is left out and why."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_pages import HOSTILE, Toy, toy

from whatmoves.errors import DataError
from whatmoves.evaluation.pictures import shown_rows
from whatmoves.explorer import page as explorer_page
from whatmoves.explorer.grids import CLIPS, STEPS, grids_of
from whatmoves.explorer.page import encoded, explorer_inputs, make_explorer
from whatmoves.explorer.panels import Axis, Card, LeftOut, Panel, Size, sections
from whatmoves.figures import style
from whatmoves.files import read_arrays
from whatmoves.plugins import open_source


class Reader(HTMLParser):
    """The tags of a page with their attributes, and its words outside scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.words += data


def text_of(toy: Toy) -> str:
    return (toy.page / "index.html").read_text(encoding="utf-8")


def data_of(toy: Toy) -> dict[str, dict[str, dict[str, object]]]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text_of(toy), re.DOTALL)
    assert found
    return dict(json.loads(found.group(1)))


def test_everything_the_page_names_lies_in_its_folder_and_nothing_else_does(whole: Toy) -> None:
    tags = Reader(text_of(whole)).tags
    named = {attributes[name] for _, attributes in tags for name in ("src", "data-sheet") if name in attributes}
    named |= {attributes["href"] for tag, attributes in tags if tag == "link"}
    files = {path.relative_to(whole.page).as_posix() for path in whole.page.rglob("*") if path.is_file()}
    assert files == named | {"index.html"}
    links = {attributes["href"] for tag, attributes in tags if tag == "a"}
    assert links <= {f"#{attributes['id']}" for _, attributes in tags if "id" in attributes}
    policy = next(a["content"] for _, a in tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert not any(name.startswith("on") or name == "style" for _, attributes in tags for name in attributes)


def test_words_of_users_stay_words(whole: Toy) -> None:
    reader = Reader(text_of(whole))
    assert [tag for tag, _ in reader.tags].count("script") == 2  # its own, and the data
    assert "b" not in {tag for tag, _ in reader.tags}
    assert reader.words.count(HOSTILE) >= 4  # description, label, sentences
    assert data_of(whole)["values"]["moving_digits.vae.psnr_frame"]["label"] == HOSTILE


def test_a_value_leads_to_the_jobs_behind_it(whole: Toy) -> None:
    data = data_of(whole)
    entry = data["values"]["moving_digits.vae.psnr_frame"]
    assert (entry["text"], entry["interval"], entry["seeds"]) == ("20.500", ["19.500", "21.500"], {"0": "20.500"})
    assert data["values"]["hypotheses.better.difference"]["text"] == "10.000"
    job = data["jobs"][data["makers"]["values.json"]]
    assert job["command"] == f"whatmoves {HOSTILE}"
    assert {*entry["files"]} < {*job["inputs"]}
    assert data["jobs"][data["makers"][entry["files"][0]]]["receipt"] == "evaluate/moving_digits/vae/receipt.json"


def test_sheets_hold_every_pixel_of_what_was_stored(whole: Toy) -> None:
    stored = read_arrays(whole.layout.evaluation("moving_digits", "vae") / "pictures.npz")["reconstruction"]
    clips, frames, _, height, width = stored.shape
    canvas = next(
        attributes
        for tag, attributes in Reader(text_of(whole)).tags
        if tag == "canvas" and str(attributes["data-sheet"]).startswith("sheets/reconstructions-moving_digits-1")
    )
    with Image.open(whole.page / str(canvas["data-sheet"])) as picture:
        sheet = np.asarray(picture.convert("L"))
    cells = sheet.reshape(clips, height, frames, width).transpose(0, 2, 1, 3)
    assert np.array_equal(cells, stored[:, :, 0])
    assert (canvas["data-axes"], canvas["data-sizes"]) == ("clip", str(clips))


def test_colours_are_those_of_the_figures(whole: Toy) -> None:
    css = (whole.page / "explorer.css").read_text(encoding="utf-8")
    assert f".of-0 {{ --of: {style.colour(0)}; }}" in css
    assert f".of-floor {{ --of: {style.REFERENCE}; }}" in css


def test_every_swap_is_drawn_from_the_stored_codes(whole: Toy) -> None:
    grids = grids_of(whole.study, whole.layout, "moving_digits")
    assert grids is not None
    options = whole.study.data["moving_digits"].options
    test = open_source("moving_digits", options, whole.layout.data("moving_digits")).split("test")
    rows = shown_rows(test, CLIPS)
    n, T = len(rows), test.video.shape[1]
    assert np.array_equal(grids.clips, test.video[rows])
    assert all(np.array_equal(grids.truth[k, k], test.video[row]) for k, row in enumerate(rows))
    assert not np.array_equal(grids.truth[0, 1], grids.truth[1, 0])
    swaps, led = grids.swaps["vae"], grids.led["vae"]
    assert swaps.shape == (n, n, T, 1, 16, 16)
    assert led.shape == (STEPS, STEPS, T, 1, 16, 16)
    for at, to in (((0, 0), (0, 0)), ((-1, 0), (1, 0)), ((0, -1), (0, 1)), ((-1, -1), (1, 1))):
        assert np.abs(led[at].astype(int) - swaps[to]).max() <= 1
    assert not np.array_equal(swaps[0, 1], swaps[1, 0])
    assert grids.words[0] == f"clip 1, class {test.factors['class_1'][rows[0]]}"


def test_a_learned_split_is_mixed_as_it_was_measured(tmp_path: Path) -> None:
    options = {"channels": [4], "features": 8, "latent_dim": 4, "hidden": 8, "layers": 1}
    data = {"moving_digits": {"options": DIGITS_LONG}}
    found = toy(tmp_path, data, {"lstm": {"kind": "lstm_vae", "options": options}}, values={})
    grids = grids_of(found.study, found.layout, "moving_digits")
    assert grids is not None
    stored = read_arrays(found.layout.evaluation("moving_digits", "lstm") / "swaps.npz")
    test = open_source("moving_digits", DIGITS_LONG, found.layout.data("moving_digits")).split("test")
    rows = shown_rows(test, CLIPS)
    known = [
        (k, rows.index(a), rows.index(b)) for k, (a, b) in enumerate(stored["pairs"].tolist()) if {a, b} <= {*rows}
    ]
    assert known  # the list of pairs has some of the clips shown
    assert "(it does not predict frames)" in text_of(found)
    for k, content, motion in known:
        assert np.abs(grids.swaps["lstm"][content, motion].astype(int) - stored["seed0_swapped"][k]).max() <= 1


DIGITS_LONG = {"image_px": 16, "digit_px": 8, "frames": 4, "validation_clips": 8, "test_clips": 8}


def test_what_a_study_lacks_is_left_out_with_the_reason(whole: Toy, floors: Toy) -> None:
    missing = {
        (section.name, panel.dataset): panel.reason
        for section in sections(whole.study, whole.layout)
        for panel in section.panels
        if isinstance(panel, LeftOut)
    }
    assert missing["swaps", "push_world"] == "the data set cannot render its factors"
    assert missing["samples", "push_world"] == "it has no prior to draw from"
    assert {name for name, dataset in missing if dataset == "moving_digits"} == set()
    text = text_of(floors)
    assert "it has no code" in text
    assert "This study measured nothing that a table shows." in text
    assert "No declared hypothesis speaks of what this study has." in text
    assert 'id="predictions-moving_digits"' in text  # the floor's own
    assert 'id="swaps-moving_digits"' not in text


def test_bold_and_grey_are_as_in_the_papers_tables(whole: Toy) -> None:
    text = text_of(whole)
    bold = re.findall(r'class="best"><button[^>]*data-id="([^"]+)"', text.replace("\n", ""))
    assert bold == ["moving_digits.vae.psnr_frame"]
    assert re.search(r'<tr class="reference"><th scope="row">mean frame</th>', text)


def test_a_page_that_would_be_too_large_shows_fewer_clips_then_smaller_ones(
    whole: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheets = sum(path.stat().st_size for path in whole.page.glob("sheets/*"))
    monkeypatch.setattr(explorer_page, "MOST_BYTES", len(text_of(whole).encode()) + sheets // 2)
    make_explorer(whole.study, whole.layout, tmp_path / "page")
    assert sum(path.stat().st_size for path in tmp_path.glob("page/sheets/*")) <= sheets // 2 + 5000
    assert (tmp_path / "page/index.html").read_text().count('name="swaps-moving_digits-content"') < CLIPS
    monkeypatch.setattr(explorer_page, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="clips are too large"):
        make_explorer(whole.study, whole.layout, tmp_path / "page")
    assert (tmp_path / "page/index.html").is_file()  # what was there stays


def test_a_smaller_panel_keeps_ends_of_sliders_and_the_first_clips() -> None:
    video = np.arange(5 * 6 * 2, dtype=np.uint8).reshape(5, 6, 2, 1, 1, 1).repeat(4, -2).repeat(4, -1)
    axes = (
        Axis("step", "Step", tuple("abcde"), "steps"),
        Axis("clip", "Clip", tuple("uvwxyz"), "clips"),
    )
    small = Size(2, 3, 2).of(Panel("p", "d", "", axes, (Card("c", 0, video, ("step", "clip")),)))
    assert [axis.options for axis in small.axes] == [("a", "c", "e"), ("u", "v")]
    assert small.cards[0].video.shape == (3, 2, 2, 1, 2, 2)
    assert np.array_equal(small.cards[0].video[..., 0, 0, 0], video[::2, :2, :, 0, 0, 0])


def test_equal_clips_give_equal_bytes(whole: Toy, tmp_path: Path) -> None:
    video = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 5, 4), np.uint8)
    assert encoded(video) == encoded(video.copy())
    make_explorer(whole.study, whole.layout, tmp_path / "page")
    for path in whole.page.rglob("*"):
        assert path.is_dir() or path.read_bytes() == (tmp_path / "page" / path.relative_to(whole.page)).read_bytes()


def test_the_receipt_names_all_that_the_page_is_made_from(whole: Toy) -> None:
    named = {path.name for path in explorer_inputs(whole.study, whole.layout)}
    assert {"values.json", "pictures.npz", "codes.npz", "swaps.npz", "checkpoint.pt", "test.npz"} <= named
    assert {"index.html.j2", "explorer.js", "explorer.css", "values.receipt.json"} <= named
