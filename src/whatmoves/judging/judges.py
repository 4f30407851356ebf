"""The judges of a data set: two that read the digits of a clip, one that follows their paths, and, where clips of one
digit differ in its size, one that reads that.

A clip's digits are judged from the mean score of its frames. With one digit a clip the scores are probabilities of the
ten classes; with more, of each class being there. Then a class is in the clip if its frames make it likelier than it
was before looking: the odds of every frame hold the prior odds, which speak for absence, and a clip's chances are freed
of them. Paths are sets of centres per frame: which centre belongs to which digit is asked frame by frame when two paths
are compared, so digits that cross are not lost. A clip's size is the mean of its frames'.
"""

import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from whatmoves.errors import CheckpointError
from whatmoves.files import write_bytes
from whatmoves.judging.drawing import Geometry, shrunk
from whatmoves.judging.judged import CLASSES, Judged
from whatmoves.judging.networks import CELL_PX, AttentionNet, DigitNet, PlaceNet, peaks, size_of

BATCH_FRAMES = 192  # frames in one pass: more of them take memory and no less time


class Judges(nn.Module):
    """Both digit judges and the path judge for clips of one `geometry`, and one of the size where it is to be read."""

    def __init__(self, geometry: Geometry, sized: bool = False) -> None:
        super().__init__()
        self.geometry = geometry
        self.first, self.second = DigitNet(CLASSES), AttentionNet(CLASSES)
        self.place = PlaceNet()
        self.size = AttentionNet(1) if sized else None

    def judge(self, video: NDArray[np.uint8], device: torch.device, ask_second: bool = False) -> Judged:
        """Judge clips, uint8 `[N, T, 1, H, W]`."""
        N, T = video.shape[:2]
        first: list[Tensor] = []
        second: list[Tensor] = []
        centres: list[Tensor] = []
        sizes: list[Tensor] = []
        self.eval()
        with torch.inference_mode():
            for frames in self._frames(video, device):
                first.append(self.first(frames).frames.cpu())
                centres.append(self.geometry.framed(peaks(self.place(frames), self.geometry.digits) * CELL_PX).cpu())
                if ask_second:
                    second.append(self.second(frames).frames.cpu())
                if self.size is not None:
                    sizes.append(size_of(self.size(frames).frames).cpu())
        scores = torch.cat(first).reshape(N, T, -1)
        return Judged(
            self._of_clips(scores),
            self._of_clips(torch.cat(second).reshape(N, T, -1)) if ask_second else None,
            self._chances(scores),
            torch.cat(centres).reshape(N, T, -1, 2).double().numpy(),
            torch.cat(sizes).reshape(N, T).double().mean(1).numpy() if sizes else None,
        )

    def _frames(self, video: NDArray[np.uint8], device: torch.device) -> Iterator[Tensor]:
        flat = torch.from_numpy(video.reshape(-1, 1, *video.shape[-2:]))
        for first in range(0, len(flat), BATCH_FRAMES):
            part = flat[first : first + BATCH_FRAMES].to(device)
            frames = shrunk(part.float().div_(255), self.geometry.shrink)
            yield frames.contiguous(memory_format=torch.channels_last)

    def _of_clips(self, scores: Tensor) -> NDArray[np.float64]:
        """Chances `[N, 10]` from scores of frames `[N, T, 10]`."""
        absent = (1 - 1 / CLASSES) ** self.geometry.digits  # a class's chance to be in none of the digits
        prior = 0.0 if self.geometry.digits == 1 else math.log((1 - absent) / absent)
        return self._chances(scores.mean(1) - prior)

    def _chances(self, scores: Tensor) -> NDArray[np.float64]:
        scores = scores.double()
        chances: NDArray[np.float64] = (scores.softmax(-1) if self.geometry.digits == 1 else scores.sigmoid()).numpy()
        return chances


def save_judges(path: Path, judges: Judges) -> None:
    """Write the judges; equal judges give equal bytes."""
    content: dict[str, Any] = {"geometry": judges.geometry._asdict()}
    content["weights"] = {name: v.detach().cpu().contiguous().clone() for name, v in judges.state_dict().items()}
    stream = io.BytesIO()
    torch.save(content, stream)
    write_bytes(path, stream.getvalue())


def load_judges(path: Path, device: torch.device) -> Judges:
    """Read judges, running no code from the file; raises `CheckpointError` when it is missing or damaged."""
    try:
        content = torch.load(io.BytesIO(path.read_bytes()), map_location="cpu", weights_only=True)
        sized = any(name.startswith("size.") for name in content["weights"])
        judges = Judges(Geometry(**content["geometry"]), sized)
        judges.load_state_dict(content["weights"])
    except OSError as error:
        raise CheckpointError(f"{path}: cannot read it ({error.strerror}); run `whatmoves judge --train`") from None
    except Exception as error:  # what a broken pickle raises has no common type
        raise CheckpointError(
            f"{path}: not readable as judges ({type(error).__name__}); delete it and run `whatmoves judge --train`"
        ) from None
    judges.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # as the frames: half the time
    judges.eval()
    return judges
