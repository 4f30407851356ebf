"""Animations: the figures' clips in motion, one labelled column per model, as GIF and as MP4 (H.264)."""

from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from whatmoves.errors import ConfigError, DataError, NothingToShowError
from whatmoves.figures import style
from whatmoves.figures.film import LABEL_LETTERS
from whatmoves.figures.fonts import dejavu, east_asian, in_dejavu
from whatmoves.figures.inputs import FigureInputs, shared
from whatmoves.files import atomic, read_arrays, write_arrays
from whatmoves.layout import NOTHING, figure_parts
from whatmoves.study import Study

Data = dict[str, NDArray[Any]]

ROWS = 3
FRAME_PX = 160  # a clip is enlarged by the whole factor that comes nearest
GAP_PX = 8
LABEL_PX = 38  # at least: room for two lines
TEXT_PX, LINE_PX = 13, 16
SIDE_PX = 84  # where rows have labels of their own
EDGE_PX = 3  # within the gap
FRAME_MS = 100  # one speed: GIF counts in hundredths of a second, and MP4 writers round odd rates
MP4_ROUNDS = 4
TRUTH = -2  # slot of the columns that are given, not made: black
PAIRS = 2  # clips of an animation whose rows are pairs
EDGES = (style.HAIRLINE, style.PALETTE[1])  # of a frame that is given, and of one to come


def _columns(inputs: FigureInputs, needed: tuple[str, ...], given: Mapping[str, str], made: str) -> Data:
    pictures = inputs.pictures_with(inputs.dataset, *needed)
    legend = inputs.legend(list(pictures))
    videos = [shared(pictures, name) for name in given] + [arrays[made] for arrays in pictures.values()]
    rows = min(ROWS, *map(len, videos)) if len(videos) > 1 else min(ROWS, len(videos[0]))
    return {
        "video": np.stack([video[:rows] for video in videos]),
        "labels": np.array([*given.values(), *legend["labels"]], np.str_),
        "slots": np.array([*[TRUTH] * len(given), *legend["slots"]], np.int64),
    }


def _reconstructions(inputs: FigureInputs) -> Data:
    return _columns(inputs, ("truth", "reconstruction"), {"truth": "truth"}, "reconstruction")


def _samples(inputs: FigureInputs) -> Data:
    return _columns(inputs, ("samples",), {}, "samples")


def _swaps(inputs: FigureInputs) -> Data:
    given = {
        "swap_content_source": "content from",
        "swap_motion_source": "motion from",
        "swap_truth": "true swap",
    }
    return _columns(inputs, (*given, "swap_model"), given, "swap_model")


def _predictions(inputs: FigureInputs) -> Data:
    """Columns of trained models, rows in pairs: the truth above, and below it what follows the same first frames."""
    pictures = inputs.pictures_with(inputs.dataset, "prediction_past", "prediction_truth", "prediction")
    trained = {model: arrays for model, arrays in pictures.items() if inputs.slot(model) >= 0}
    pictures = trained or pictures  # floors, where no model could
    past, truth = shared(pictures, "prediction_past")[:PAIRS], shared(pictures, "prediction_truth")[:PAIRS]
    columns = []
    for arrays in pictures.values():
        halves = (np.concatenate([past, after[:PAIRS]], axis=1) for after in (truth, arrays["prediction"]))
        columns.append(np.stack(list(halves), axis=1).reshape(-1, past.shape[1] + truth.shape[1], *past.shape[2:]))
    return {
        "video": np.stack(columns),
        "rows": np.array(["truth", "prediction"] * len(past), np.str_),
        "to_come": np.arange(past.shape[1] + truth.shape[1]) >= past.shape[1],
        **inputs.legend(list(pictures)),
    }


KNOWN: dict[str, Callable[[FigureInputs], Data]] = {
    "reconstructions": _reconstructions,
    "samples": _samples,
    "swaps": _swaps,
    "predictions": _predictions,
}


def make_animation(name: str, study: Study, root: Path, out_gif: Path, out_mp4: Path, out_data: Path) -> None:
    """Make animation `name` of the results under `root`: data (`.npz`), GIF and MP4, all byte-stable.

    A name may end in `-` and a data set, as a figure's may.
    Where the results hold nothing to show, it is a still that says why. Raises `ConfigError` for an unknown animation
    and `DataError` for results that are missing.
    """
    kind, dataset = figure_parts(name)
    if kind not in KNOWN:
        raise ConfigError(f"{name!r} is no animation; known: {', '.join(KNOWN)}")
    try:
        write_arrays(out_data, KNOWN[kind](FigureInputs(root, study, dataset or study.main_data())))
    except NothingToShowError as reason:
        write_arrays(out_data, {NOTHING: np.array(str(reason))})
    data = read_arrays(out_data)
    frames = _still(f"Nothing to show: {data[NOTHING]}.") if NOTHING in data else draw(data)
    with atomic(out_gif) as temporary:
        _save_gif(frames, temporary)
    with atomic(out_mp4) as temporary:
        _save_mp4(frames, temporary)


def draw(data: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
    """Frames `[T, height, width, 3]`: a column per label, a row per clip, enlarged without smoothing.

    With `rows` `[rows]` the rows have labels too; with `to_come` `[T]` an edge in colour marks what was not given.
    """
    columns, rows, T, _, H, W = data["video"].shape
    scale = max(1, round(FRAME_PX / W))
    step_x, step_y = W * scale + GAP_PX, H * scale + GAP_PX
    side = SIDE_PX if "rows" in data else 0
    room_in = (step_x - GAP_PX // 2) / 72
    labels = [style.broken(str(label), room_in, LABEL_LETTERS, TEXT_PX) for label in data["labels"]]
    label_px = max(LABEL_PX, max(map(style.lines, labels)) * LINE_PX + 6)
    width, height = side + columns * step_x + GAP_PX, label_px + rows * step_y
    still = Image.new("RGB", (width + width % 2, height + height % 2), "white")  # H.264 wants even sizes
    pen = ImageDraw.Draw(still)
    for column, (label, slot) in enumerate(zip(labels, data["slots"], strict=True)):
        middle = side + GAP_PX + column * step_x + W * scale // 2
        fill = style.INK if slot == TRUTH else style.colour(int(slot))
        _write(pen, middle, label_px // 2, label, fill)
    for row, label in enumerate(data.get("rows", ())):
        at = (side, label_px + row * step_y + H * scale // 2)
        pen.text(at, str(label), fill=style.INK, font=_font(dejavu("DejaVuSans")), anchor="rm")
    frames = np.repeat(np.asarray(still)[None], T, axis=0)
    for column in range(columns):
        for row in range(rows):
            clip = np.broadcast_to(data["video"][column, row].transpose(0, 2, 3, 1), (T, H, W, 3))
            top, left = label_px + row * step_y, side + GAP_PX + column * step_x
            for t, to_come in enumerate(data.get("to_come", ())):
                box = (
                    slice(top - EDGE_PX, top + H * scale + EDGE_PX),
                    slice(left - EDGE_PX, left + W * scale + EDGE_PX),
                )
                frames[t][box] = ImageColor.getrgb(EDGES[bool(to_come)])
            frames[:, top : top + H * scale, left : left + W * scale] = clip.repeat(scale, 1).repeat(scale, 2)
    return frames


def _still(text: str) -> NDArray[np.uint8]:
    """One frame `[1, height, width, 3]` of words."""
    still = Image.new("RGB", (640, LABEL_PX), "white")
    ImageDraw.Draw(still).text(
        (GAP_PX, LABEL_PX // 2), text, fill=style.INK, font=_font(dejavu("DejaVuSans")), anchor="lm"
    )
    return np.asarray(still)[None]


def _font(path: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, TEXT_PX, layout_engine=ImageFont.Layout.BASIC)


def _write(pen: ImageDraw.ImageDraw, middle: int, height: int, text: str, fill: str) -> None:
    """Lines of text around a point; letters that DejaVu lacks come from the East Asian font."""
    font, other = _font(dejavu("DejaVuSans")), east_asian()
    if other is None or all(map(in_dejavu, text.replace("\n", ""))):
        pen.multiline_text((middle, height), text, fill=fill, font=font, anchor="mm", align="center", spacing=1)
        return
    lines = text.split("\n")
    for line, words in enumerate(lines):
        runs = [("".join(run), font if own else _font(other)) for own, run in groupby(words, key=in_dejavu)]
        left = middle - sum(of.getlength(run) for run, of in runs) / 2
        for run, of in runs:
            pen.text((left, height + (line - (len(lines) - 1) / 2) * LINE_PX), run, fill=fill, font=of, anchor="lm")
            left += of.getlength(run)


def _save_gif(frames: NDArray[np.uint8], path: Path) -> None:
    """One palette for all frames, made from all of them, without dithering: still parts stay still.

    Equal neighbouring frames are written as one that is shown longer, so a GIF may hold fewer than were given.
    """
    tall = Image.fromarray(frames.reshape(-1, *frames.shape[2:]))
    palette = tall.quantize(128, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    first, *rest = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    first.save(path, save_all=True, append_images=rest, duration=FRAME_MS, loop=0, optimize=True)


def _save_mp4(frames: NDArray[np.uint8], path: Path) -> None:
    """H.264 in the form every browser plays; one thread and no metadata, so that equal frames give equal bytes.

    Untagged video of 720 pixels' height or more is shown with the colours of HDTV and lower one with those of older
    television, so that a film's colours would depend on its height: it is converted and tagged. ffmpeg's plain
    `-colorspace` tags without converting.
    """
    colours = "scale=out_color_matrix=bt709:out_range=tv,setparams=range=tv:color_primaries=bt709:color_trc=bt709"
    options = ["-vf", f"{colours}:colorspace=bt709"]
    options += ["-crf", "16", "-preset", "slow", "-threads", "1", "-movflags", "+faststart", "-map_metadata", "-1"]
    options += ["-fflags", "+bitexact", "-flags:v", "+bitexact"]
    try:
        writer = imageio_ffmpeg.write_frames(
            str(path), frames.shape[2:0:-1], fps=1000 / FRAME_MS, codec="libx264", quality=None, macro_block_size=2,
            ffmpeg_log_level="error", output_params=options,
        )  # fmt: skip
        writer.send(None)
        for frame in np.tile(frames, (MP4_ROUNDS, 1, 1, 1)):
            writer.send(np.ascontiguousarray(frame))
        writer.close()
    except (OSError, RuntimeError) as error:
        problem = " ".join(str(error).split())
        raise DataError(f"{path}: ffmpeg could not write it ({problem}); pip install imageio-ffmpeg") from None
