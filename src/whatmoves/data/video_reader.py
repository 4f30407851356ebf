"""The frames of a video, each once and in order, upright, as squares of one size.

Films are read by the ffmpeg that the package imageio-ffmpeg brings, called directly: it passes frames through as they
are (no copies where a film's rate varies), turns what the header says was held otherwise, and leaves out what an edit
list cuts away (docs/videos.md compares readers). GIFs and pictures are read by Pillow. All become RGB; the shorter side
is resized, the middle is cut out.
"""

import hashlib
import struct
import subprocess
import tempfile
import warnings
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from whatmoves.data.video_files import GIF, Video
from whatmoves.errors import DataError

FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"})  # 8 bits a channel
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)  # what Pillow may raise
# The same pixels on every processor: exact rounding, no shortcuts of one instruction set.
SCALING = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
CONTAINERS = "mov,matroska,avi"  # and no play lists, which name other files
AGAIN = "copy it again, or take it out of the folder"
GREY = np.array([19595, 38470, 7471])  # of 2**16: ITU-R BT.601, as Pillow's

Pixels = NDArray[np.uint8]


class Facts(NamedTuple):
    """What is known of a video once it is read: width and height as shown, and the times of its frames in seconds."""

    width: int
    height: int
    times_s: tuple[float, ...]

    @property
    def cut_away(self) -> float:
        """Part of the picture outside the square."""
        return 1 - min(self.width, self.height) / max(self.width, self.height)

    @property
    def frames_per_s(self) -> float | None:
        """The usual rate; None for pictures and for a single frame."""
        steps = np.diff(self.times_s)
        return round(float(1 / np.median(steps)), 6) if len(steps) and np.median(steps) > 0 else None

    @property
    def varies(self) -> bool:
        """Whether some frame is shown much longer or shorter than usual (a part of a tick is rounding)."""
        steps = np.diff(self.times_s)
        return bool(len(steps)) and bool((np.abs(steps - np.median(steps)) > 0.1 * np.median(steps) + 0.002).any())


class Reader:
    """Reads one video; `facts` are known when all frames are read."""

    def __init__(self, video: Video, image_px: int, channels: int, frames_per_s: float | None) -> None:
        self.video, self.image_px, self.channels, self.frames_per_s = video, image_px, channels, frames_per_s
        self.facts: Facts | None = None

    def frames(self) -> Iterator[Pixels]:
        """Its frames, `[C, H, W]` each; raises `DataError` naming the file for one that is not whole."""
        if self.frames_per_s is not None and self.video.pictures:
            raise DataError(
                f"{self.video.path}: pictures have no times; leave frames_per_s out, or make a film of them"
            )
        read = self._pictures if self.video.pictures else self._gif if _is_gif(self.video) else self._film
        count = 0
        for frame in read():
            count += 1
            rgb = frame if self.channels == 3 else ((frame @ GREY + 2**15) >> 16).astype(np.uint8)[..., None]
            yield np.ascontiguousarray(rgb.transpose(2, 0, 1))
        if not count:
            raise DataError(f"{self.video.path}: holds no frames; {AGAIN}")

    def _film(self) -> Iterator[Pixels]:
        """`[H, W, 3]` each."""
        path, side = self.video.path, self.image_px
        _require_content(path)
        start = [ffmpeg(), "-nostdin", "-hide_banner", "-loglevel", "error", "-xerror", "-threads", "1"]
        start += ["-format_whitelist", CONTAINERS, "-protocol_whitelist", "file", "-i", f"file:{path}"]
        start += ["-map", "0:V:0", "-filter_threads", "1"]
        first = subprocess.run(
            [*start, "-frames:v", "1", "-vf", "scale=round(iw*sar):ih", "-f", "image2pipe", "-c:v", "ppm", "pipe:1"],
            capture_output=True, check=False,
        )  # fmt: skip
        if first.returncode or not first.stdout.startswith(b"P6"):
            raise _refusal(path, first.stderr)
        width, height = map(int, first.stdout.split(maxsplit=3)[1:3])
        to_square = (
            f"scale=w='if(gt(dar,1),max({side},round({side}*dar)),{side})'"
            f":h='if(gt(dar,1),{side},max({side},round({side}/dar)))':flags={SCALING},format=rgb24,crop={side}:{side}"
        )
        filters = [f"fps={self.frames_per_s!r}"] if self.frames_per_s is not None else []
        # Frames are numbered for what writes them, which takes no two of one time; their own times are told beside it.
        filters += [to_square, "settb=1/1000", "setpts=N"]
        with tempfile.TemporaryFile() as times, tempfile.TemporaryFile() as said:
            command = [
                *start, "-vf", ",".join(filters), "-fps_mode", "passthrough", "-enc_time_base", "1:1000",
                "-f", "rawvideo", "-stats_enc_pre", f"pipe:{times.fileno()}", "-stats_enc_pre_fmt", "{ti}", "pipe:1",
            ]  # fmt: skip
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, pass_fds=[times.fileno()])
            assert process.stdout is not None
            try:
                while len(content := process.stdout.read(side * side * 3)) == side * side * 3:
                    yield np.frombuffer(content, np.uint8).reshape(side, side, 3)
                status = process.wait()
            finally:
                process.kill()  # where the caller stops early; else it has ended
                process.stdout.close()
                process.wait()
            said.seek(0)
            words = said.read()
            if status or words or content:
                raise _refusal(path, words)
            times.seek(0)
            own_s = tuple(map(float, times.read().split()))
            if self.frames_per_s is not None:
                own_s = tuple(tick / self.frames_per_s for tick in range(len(own_s)))
            self.facts = Facts(width, height, own_s)

    def _gif(self) -> Iterator[Pixels]:
        path = self.video.path
        _require_content(path)
        times, time_s, told = [], 0.0, 0
        try:
            with warnings.catch_warnings(), Image.open(path, formats=("GIF",)) as image:
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                size = image.size
                for frame in ImageSequence.Iterator(image):
                    shown_s = (frame.info.get("duration") or 100) / 1000  # what says 0 is shown a tenth, in browsers
                    square = self._square(path, frame)
                    if self.frames_per_s is None:
                        copies = 1
                        times.append(time_s)
                    else:
                        copies = _ticks(time_s + shown_s, self.frames_per_s) - told
                        times += [tick / self.frames_per_s for tick in range(told, told + copies)]
                    time_s += shown_s
                    told += copies
                    for _ in range(copies):
                        yield square
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise DataError(f"{path}: too many pixels; make it smaller") from None
        except UnidentifiedImageError:
            raise DataError(f"{path}: is no GIF; {AGAIN}") from None
        except BROKEN as error:
            raise DataError(f"{path}: not readable ({' '.join(str(error).split())}); {AGAIN}") from None
        self.facts = Facts(*size, tuple(times))

    def _pictures(self) -> Iterator[Pixels]:
        size: tuple[int, int] | None = None
        for path in self.video.pictures:
            _require_content(path)
            try:
                with warnings.catch_warnings(), Image.open(path, formats=FORMATS) as image:
                    warnings.simplefilter("error", Image.DecompressionBombWarning)
                    upright = ImageOps.exif_transpose(image)  # as every viewer turns it
                    if size not in (None, upright.size):
                        raise DataError(
                            f"{path}: is {upright.width}×{upright.height} pixels, the one before {size[0]}×{size[1]}; "
                            "make the pictures of a video of one size"
                        )
                    size = upright.size
                    square = self._square(path, upright)
            except (Image.DecompressionBombWarning, Image.DecompressionBombError):
                raise DataError(f"{path}: too many pixels; make it smaller") from None
            except UnidentifiedImageError:
                raise DataError(f"{path}: no picture of a kind known here ({', '.join(FORMATS)}); {AGAIN}") from None
            except BROKEN as error:
                raise DataError(f"{path}: not readable ({' '.join(str(error).split())}); {AGAIN}") from None
            yield square
        assert size is not None
        self.facts = Facts(*size, ())

    def _square(self, path: Path, image: Image.Image) -> Pixels:
        """The middle of a picture, `[H, W, 3]`."""
        if image.mode not in MODES:
            raise DataError(f"{path}: its pixels are {image.mode}; must have 8 bits a channel")
        if image.has_transparency_data and np.asarray(image.convert("RGBA"))[..., 3].min() < 255:
            raise DataError(f"{path}: parts of it are transparent, and nobody saw what is below; save it without")
        side = (self.image_px, self.image_px)
        return np.asarray(ImageOps.fit(image.convert("RGB"), side, Image.Resampling.BICUBIC))


def ffmpeg() -> str:
    """The program that reads films; raises `DataError` where imageio-ffmpeg has none for this machine."""
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        raise DataError(
            "no ffmpeg to read films with; `pip install imageio-ffmpeg`, or set IMAGEIO_FFMPEG_EXE"
        ) from None


def reader_version() -> str:
    """The readers and their versions, for people."""
    import imageio_ffmpeg
    import PIL

    films = f"ffmpeg {imageio_ffmpeg.get_ffmpeg_version()} (imageio-ffmpeg {imageio_ffmpeg.__version__})"
    return f"{films}, Pillow {PIL.__version__}"


def digest_of(paths: Sequence[Path]) -> str:
    """Checksum of some files, as 64 hex digits; raises `DataError` for one that may not be read."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise DataError(f"{path}: not readable ({error.strerror}); check its permissions") from None
    return digest.hexdigest()


def _is_gif(video: Video) -> bool:
    return video.path.suffix.lower() == GIF


def _ticks(time_s: float, frames_per_s: float) -> int:
    """The frame that begins nearest to a time, as ffmpeg's `fps` counts: halves up."""
    return int(time_s * frames_per_s + 0.5)


def _require_content(path: Path) -> None:
    try:
        with path.open("rb") as stream:
            if not stream.read(1):
                raise DataError(f"{path}: is empty; {AGAIN}")
    except OSError as error:
        raise DataError(f"{path}: not readable ({error.strerror}); check its permissions") from None


def _refusal(path: Path, words: bytes) -> DataError:
    """What ffmpeg's complaint about a film means."""
    lines = [line.strip() for line in words.decode("utf-8", "replace").splitlines() if line.strip()]
    if any("Unrecognized option" in line for line in lines):
        return DataError(f"{ffmpeg()}: is older than ffmpeg 6; unset IMAGEIO_FFMPEG_EXE, or set it to a newer one")
    if any("matches no streams" in line for line in lines):
        return DataError(f"{path}: has no pictures (sound alone, or damaged?); {AGAIN}")
    # The first complaint, without the addresses of ffmpeg's parts.
    plain = lines[0].rpartition("] ")[2] if lines else "it ends within a frame"
    fix = "copy it again, let ffmpeg write it anew, or take it out of the folder"
    return DataError(f"{path}: not readable as a film ({plain}); {fix}")
