"""Pictures of a data set: a contact sheet (PNG) and the same clips in motion (GIF), every pixel as it is stored.

Small frames are enlarged by a whole factor, a pixel as a square; none is shrunk or smoothed.
"""

import functools
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from whatmoves.files import atomic
from whatmoves.using.data_facts import Parts

SHEET, MOVING, ABOUT = "sheet.png", "clips.gif", "about.txt"
CLIPS = 3  # shown of each part
FRAMES = 8  # of a clip, on the sheet
FRAME_PX = 96  # at least the larger side of an enlarged frame, where a whole factor allows
WIDEST_PX = 1600  # of a sheet of large frames, if two of them fit
GAP_PX, LINE_PX, TEXT_PX, SIDE_PX = 6, 18, 12, 92
GREY = 110
GIF_FRAME_MS = 100  # where a data set has no rate of its own; else the middle of its rates, in a GIF's hundredths
FASTEST_GIF_MS = 20  # a shorter time is shown as a much longer one

Frames = NDArray[np.uint8]


def chosen_rows(clips: int) -> list[int]:
    """At most `CLIPS` of them, evenly spread from the first."""
    return [int(row) for row in np.linspace(0, clips - 1, min(CLIPS, clips)).round()]


def zoom_of(height: int, width: int) -> int:
    """The least whole factor that makes the larger side `FRAME_PX`."""
    return max(1, -(-FRAME_PX // max(height, width)))


def write_preview(parts: Parts, heading: Sequence[str], rates_hz: tuple[float, float] | None, folder: Path) -> None:
    """Write sheet and GIF into `folder`; the lines `heading` stand above the sheet."""
    height, width = next(iter(parts.values())).video.shape[-2:]
    zoom = zoom_of(height, width)
    rows = {name: chosen_rows(len(split.video)) for name, split in parts.items()}
    with atomic(folder / SHEET) as temporary:
        _sheet(parts, rows, [*heading, f"each pixel is shown {zoom}×{zoom}"], zoom).save(temporary)
    frames = _moving(parts, rows, zoom)
    with atomic(folder / MOVING) as temporary:
        duration = GIF_FRAME_MS if rates_hz is None else max(FASTEST_GIF_MS, 10 * round(200 / sum(rates_hz)))
        _save_gif(frames, temporary, duration)


def _sheet(parts: Parts, rows: dict[str, list[int]], heading: Sequence[str], zoom: int) -> Image.Image:
    """A row of frames for each chosen clip, under the numbers of the frames."""
    T, _, height, width = next(iter(parts.values())).video.shape[1:]
    step_x, step_y = width * zoom + GAP_PX, height * zoom + GAP_PX
    most = max(2, min(FRAMES, (WIDEST_PX - SIDE_PX) // step_x))
    shown = range(0, T, -(-T // most))  # one stride, so that speed can be read off
    top = LINE_PX * (len(heading) + 1) + 2 * GAP_PX
    right = max(SIDE_PX + len(shown) * step_x, *(int(_font().getlength(line)) + 2 * GAP_PX for line in heading))
    sheet = Image.new("RGB", (right, top + step_y * sum(map(len, rows.values()))), "white")
    pen = ImageDraw.Draw(sheet)
    for line, text in enumerate(heading):
        _write(pen, GAP_PX, GAP_PX + line * LINE_PX, text)
    for column, frame in enumerate(shown):
        _write(pen, SIDE_PX + column * step_x, top - LINE_PX, f"frame {frame}", GREY)
    for name, clips in rows.items():
        for row in clips:
            middle = top + height * zoom // 2
            _write(pen, GAP_PX, middle - LINE_PX, name)
            _write(pen, GAP_PX, middle, f"clip {row}", GREY)
            for column, frame in enumerate(shown):
                picture = enlarged(parts[name].video[row, frame], zoom)
                sheet.paste(Image.fromarray(picture), (SIDE_PX + column * step_x, top))
            top += step_y
    return sheet


def _moving(parts: Parts, rows: dict[str, list[int]], zoom: int) -> list[Image.Image]:
    """One picture a frame: a row of clips for each part."""
    T, C, height, width = next(iter(parts.values())).video.shape[1:]
    step_x, step_y = width * zoom + GAP_PX, height * zoom + GAP_PX
    size = (SIDE_PX + max(map(len, rows.values())) * step_x, GAP_PX + len(rows) * step_y)
    frames = []
    for t in range(T):
        frame = Image.new("RGB" if C > 1 else "L", size, "white")
        pen = ImageDraw.Draw(frame)
        for line, (name, clips) in enumerate(rows.items()):
            top = GAP_PX + line * step_y
            _write(pen, GAP_PX, top + (height * zoom - LINE_PX) // 2, name)
            for column, row in enumerate(clips):
                picture = enlarged(parts[name].video[row, t], zoom)
                tile = Image.fromarray(picture if C > 1 else picture[..., 0])
                frame.paste(tile, (SIDE_PX + column * step_x, top))
        frames.append(frame)
    return frames


def enlarged(frame: Frames, zoom: int) -> Frames:
    """A frame `[C, H, W]` as `[H zoom, W zoom, 3]`; of other channels than 1 or 3 the first is shown in grey."""
    shown = frame if len(frame) == 3 else np.broadcast_to(frame[:1], (3, *frame.shape[1:]))
    return np.ascontiguousarray(shown.transpose(1, 2, 0).repeat(zoom, 0).repeat(zoom, 1))


def _save_gif(frames: Sequence[Image.Image], path: Path, duration_ms: int) -> None:
    """Grey frames keep all 256 levels; coloured ones share one palette of 256 colours, without dithering."""
    if frames[0].mode == "RGB":
        tall = Image.fromarray(np.concatenate([np.asarray(frame) for frame in frames]))
        palette = tall.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    first, *rest = frames
    first.save(path, save_all=True, append_images=rest, duration=duration_ms, loop=0)


@functools.cache
def _font() -> ImageFont.FreeTypeFont:
    """DejaVu, which comes with matplotlib: Pillow's own font lacks signs such as ×."""
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", TEXT_PX)


def _write(pen: ImageDraw.ImageDraw, left: int, top: int, text: str, level: int = 0) -> None:
    fill: int | tuple[int, int, int] = level if pen.mode == "L" else (level, level, level)
    pen.text((left, top), text, fill=fill, font=_font())
