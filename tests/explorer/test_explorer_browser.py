"""The explorer in a real browser, from the disk: nothing complains, nothing is fetched, every control does its work."""

import base64
import io
import time
from collections.abc import Iterator

import numpy as np
import pytest
from browser import PROGRAM, Browser, browser
from numpy.typing import NDArray
from PIL import Image
from small_pages import Toy

from whatmoves.explorer.grids import grids_of

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed (Debian: apt install chromium)")

SWAPS = "document.querySelector('#swaps .panel')"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def opened(chromium: Browser, whole: Toy) -> Iterator[Browser]:
    """The page, still, in which no script of any word has run and nothing was asked for but files."""
    chromium.requests.clear()
    chromium.complaints.clear()
    chromium.open(whole.page / "index.html", 1300, prefers_reduced_motion="reduce")
    yield chromium
    chromium.ask("1")  # all that happened is told
    assert chromium.complaints == []
    assert {address.partition(":")[0] for address in chromium.requests} == {"file"}


def shown(page: Browser, of: str = SWAPS) -> list[str]:
    """What the large canvases of a panel say that they show."""
    return list(page.ask(f"[...{of}.querySelectorAll('canvas[role=img]')].map((c) => c.ariaLabel)"))


def test_it_is_painted_within_a_second_and_asks_for_nothing_outside(opened: Browser) -> None:
    opened.until("performance.getEntriesByName('first-contentful-paint').length")
    assert opened.ask("performance.getEntriesByName('first-contentful-paint')[0].startTime") < 1000
    refused = "fetch('https://example.org').then(() => false, () => true)"
    assert opened.ask(refused)
    opened.ask("1")
    assert any("Content Security Policy" in text for text in opened.complaints)
    opened.complaints.clear()
    opened.requests[:] = [address for address in opened.requests if "example.org" not in address]


def test_content_and_motion_are_picked_apart_with_the_keyboard(opened: Browser) -> None:
    opened.ask(f"{SWAPS}.scrollIntoView()")
    truth = shown(opened)[2]
    assert truth.startswith("true swap; Content from clip 1, class ")
    opened.ask(f"{SWAPS}.querySelector('[data-axis=content] input').focus()")
    opened.press("ArrowRight", 39)
    changed = shown(opened)
    assert changed[2].startswith("true swap; Content from clip 2")
    assert "Motion from clip 2" in changed[2]
    assert changed[0].startswith("content from; Content from clip 2")
    assert "Motion" not in changed[0]


def pixels(page: Browser, canvas: str) -> NDArray[np.uint8]:
    """What a canvas looks like, `[H, W]`: read off a picture of the screen, as pages from the disk may not read it."""
    box = page.ask(
        f"((c) => {{ const {{x, y}} = c.getBoundingClientRect(); return [x + scrollX + c.clientLeft, y + scrollY + "
        f"c.clientTop, c.clientWidth, c.clientHeight, c.width, c.height]; }})({canvas})"
    )
    x, y, width, height, columns, rows = box
    clip = {"x": x, "y": y, "width": width, "height": height, "scale": 1}
    content = base64.b64decode(page.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"])
    with Image.open(io.BytesIO(content)) as picture:
        screen = np.asarray(picture.convert("L"))
    middles = [
        ((np.arange(n) + 0.5) * size / n).astype(int) for n, size in zip((rows, columns), screen.shape, strict=True)
    ]
    return screen[np.ix_(*middles)]


def test_a_canvas_shows_the_clip_and_the_frame_that_are_picked(opened: Browser, whole: Toy) -> None:
    opened.ask(f"{SWAPS}.scrollIntoView()")
    canvas = f"{SWAPS}.querySelectorAll('canvas[role=img]')[2]"
    grids = grids_of(whole.study, whole.layout, "moving_digits")
    assert grids is not None
    for content, motion, frame in ((0, 1, 1), (2, 1, 4), (2, 3, 6)):
        for axis, at in (("content", content), ("motion", motion)):
            opened.ask(f"{SWAPS}.querySelector('[data-axis={axis}] input[value=\"{at}\"]').click()")
        opened.ask(
            f"((time) => {{ time.value = {frame}; time.dispatchEvent(new Event('input', {{bubbles: true}})); }})"
            f"({SWAPS}.querySelector('[data-time]'))"
        )
        wanted = grids.truth[content, motion, frame - 1, 0]
        end = time.monotonic() + 20
        while not np.array_equal(pixels(opened, canvas), wanted):
            assert time.monotonic() < end, (content, motion, frame)


def test_play_moves_and_stops_and_keeps_still_where_that_is_asked_for(opened: Browser, whole: Toy) -> None:
    opened.ask(f"{SWAPS}.scrollIntoView()")
    play, time = f"{SWAPS}.querySelector('.play')", f"{SWAPS}.querySelector('[data-time]').value"
    assert (opened.ask(f"{play}.textContent"), opened.ask(time)) == ("Play", "1")
    opened.ask(f"{play}.click()")
    opened.until(f"{time} !== '1'")
    opened.ask(f"{play}.click()")
    at = opened.ask(time)
    opened.ask("new Promise((done) => setTimeout(done, 350))")
    assert opened.ask(time) == at
    opened.open(whole.page / "index.html", 1300)  # a reader who asks for no stillness
    opened.ask(f"{SWAPS}.scrollIntoView()")
    opened.until(f"{time} !== '1'")


def test_sliders_lead_content_and_motion(opened: Browser) -> None:
    panel = "document.querySelector('#interpolation .panel')"
    opened.ask(f"{panel}.scrollIntoView(); {panel}.querySelector('[data-axis=motion]').focus()")
    opened.press("End", 35)
    assert opened.ask(f"{panel}.querySelector('[data-axis=motion]').ariaValueText") == "of clip B"
    assert shown(opened, panel)[2].endswith("; content of clip A; motion of clip B")


def test_a_strip_is_scrubbed(opened: Browser) -> None:
    panel = "document.querySelector('#predictions .panel')"
    opened.ask(f"{panel}.scrollIntoView()")
    strip = f"{panel}.querySelector('.strip').getBoundingClientRect()"
    box = opened.ask(f"(({{x, y, width, height}}) => ({{x, y, width, height}}))({strip})")
    at = {"x": box["x"] + box["width"] * 0.9, "y": box["y"] + box["height"] / 2}
    opened.call("Input.dispatchMouseEvent", type="mousePressed", button="left", buttons=1, clickCount=1, **at)
    opened.call("Input.dispatchMouseEvent", type="mouseReleased", button="left", clickCount=1, **at)
    assert opened.ask(f"{panel}.querySelector('.time output').textContent") == "6 of 6, foreseen"


def test_tables_sort_and_a_number_tells_its_origin(opened: Browser) -> None:
    column = "[...document.querySelectorAll('#tables tbody tr')].map((row) => row.cells[1].innerText.split(' ')[0])"
    head = "document.querySelector('#tables thead').rows[0].cells[1]"
    assert opened.ask(column) == ["20.500", "9.000", "10.250"]
    for order, first in (("descending", "20.500"), ("ascending", "9.000")):
        opened.ask(f"{head}.querySelector('button').click()")
        assert (opened.ask(f"{head}.ariaSort"), opened.ask(column)[0]) == (order, first)
    opened.ask("document.querySelector('#tables [data-id]').focus()")
    opened.press("Enter", 13, "\r")
    origin = opened.ask("document.getElementById('origin').innerText")
    assert "moving_digits.see.psnr_frame" in origin
    assert "9.000 dB" in origin
    chain = opened.ask("[...document.querySelectorAll('#origin summary')].map((item) => item.textContent)")
    ours = ["evaluate/moving_digits/vae/quality.json", "data/moving_digits/test.npz"]
    assert chain == ["values.json", *ours]  # and nothing else that the analysis has read
    assert opened.ask("[...document.querySelectorAll('#origin script, #origin b')].length") == 0
    opened.press("Escape", 27)
    assert not opened.ask("document.getElementById('origin').open")
    assert opened.ask("document.activeElement.dataset.id") == "moving_digits.see.psnr_frame"


def test_any_measure_is_shown_and_verdicts_are_sifted(opened: Browser) -> None:
    rows = "[...document.querySelectorAll('#measure tbody tr')].map((row) => row.innerText.split('\\t').slice(0, 3))"
    assert opened.ask(rows)[1] == ["see", "9.000", "[8.000, 10.000]"]
    opened.ask("document.querySelector('#verdicts input[value=undecided]').click()")
    assert opened.ask("[...document.querySelectorAll('[data-verdict]')].map((item) => item.hidden)") == [True, False]


def test_nothing_sticks_out_on_a_phone(opened: Browser, whole: Toy) -> None:
    opened.open(whole.page / "index.html", 360, prefers_reduced_motion="reduce")
    assert opened.ask("document.documentElement.scrollWidth") <= 360
