"""What the methods of a model must give back, asked once of few clips: before any job on shapes, and then of values.

Whoever breaks the contract of `whatmoves.models.interface` is told the file, the method and what to write there.
"""

import logging
from collections.abc import Mapping
from typing import Any

import torch
from torch import Generator, Tensor, nn

from whatmoves.blame import blaming, place_of
from whatmoves.data.clips import Batch
from whatmoves.errors import ConfigError, ModelError
from whatmoves.models.interface import Decodes, Encodes, Future, Trains, abilities

log = logging.getLogger(__name__)

DRAWN = 2  # clips that are sampled


def require_terms(model: Trains, terms: Any) -> None:
    """Raise `ModelError` unless `terms` are what a loss gives: named numbers, and a `total` that weights move."""
    place = place_of(model.loss)
    if not isinstance(terms, Mapping):
        raise ModelError(f'{place} returns {_words(terms)}; must return a dict of terms: return {{"total": …}}')
    if "total" not in terms:
        raise ModelError(f'{place} returns {_names(terms)} and no "total"; add the term that training makes small')
    for name, value in terms.items():
        if not isinstance(value, Tensor) or value.ndim:
            fix = "take its mean over the batch" if isinstance(value, Tensor) else "make it a tensor"
            raise ModelError(f"{place} returns {name} as {_words(value)}; must be one number: {fix}")
    if torch.is_grad_enabled() and not terms["total"].requires_grad:
        raise ModelError(
            f"{place} returns a total that depends on no weight; take away what cuts it off (.detach(), no_grad)"
        )


def require_same_terms(model: Trains, before: list[str], now: Mapping[str, Tensor]) -> None:
    """Raise `ModelError` unless a loss has the terms it had at its first step."""
    if before != list(now):
        fix = "return the same ones at every step (0 where one does not count)"
        raise ModelError(f"{place_of(model.loss)} returns {_names(now)}, and before {', '.join(before)}; {fix}")


@torch.no_grad()
def require_answers(model: nn.Module, batch: Batch, past_frames: int) -> None:
    """Ask a model in evaluation mode all that it can, of the clips of `batch`; raises `ModelError` for an answer that
    no measure could use. No random number of others is touched.

    On PyTorch's meta device shapes alone are looked at, and what fails there is left to real clips: whatever asks for
    values cannot run. There `ConfigError` passes (a past too short, say), which later only leaves a dash.
    """
    known = batch.video.device.type != "meta"
    devices = [batch.video.device] if batch.video.device.type == "cuda" else []
    for ability in abilities(model):
        if ability == "decode" and not isinstance(model, Encodes):
            continue
        method = getattr(model, ability)
        given = f"video {list(batch.video.shape)}"
        with torch.random.fork_rng(devices=devices):
            try:
                with blaming(method, given):
                    answer = _asked(model, ability, batch, past_frames)
            except ConfigError:
                if known:
                    continue
                raise
            except ModelError:
                if known:
                    raise
                log.debug("%s cannot be asked on shapes alone", place_of(method), exc_info=True)
                continue
        _require(f"{place_of(method)} of {given}", ability, answer, batch.video.shape, past_frames)


def _asked(model: Any, ability: str, batch: Batch, past_frames: int) -> Any:
    video, generator = batch.video, Generator().manual_seed(0)
    match ability:
        case "sample":
            return model.sample(DRAWN, generator)
        case "decode":
            assert isinstance(model, Encodes)
            assert isinstance(model, Decodes)
            return model.decode(model.encode(video))
        case "predict":
            future = Future(batch.actions, batch.states, generator)
            return model.predict(video[:, :past_frames], video.shape[1] - past_frames, future)
        case _:
            return getattr(model, ability)(video)


def _require(place: str, ability: str, answer: Any, shape: tuple[int, ...], past_frames: int) -> None:
    """One answer, or the blocks of a code."""
    B, T, C, H, W = shape
    if ability == "encode":
        if not isinstance(answer, Mapping) or not answer:
            fix = 'must return a dict of blocks [B, D]: return {"clip": …}, or "content" and "motion"'
            raise ModelError(f"{place} returns {_words(answer)}; {fix}")
        for name, block in answer.items():
            _require_tensor(f"{place} returns block {name} as", block, (B, None))
        return
    expected = {"sample": (DRAWN, T, C, H, W), "predict": (B, T - past_frames, C, H, W), "detect": (B, T, None, None)}
    _require_tensor(f"{place} returns", answer, expected.get(ability, (B, T, C, H, W)))


def _require_tensor(place: str, answer: Any, expected: tuple[int | None, ...]) -> None:
    shown = ", ".join("any" if size is None else str(size) for size in expected)
    fits = isinstance(answer, Tensor) and len(answer.shape) == len(expected)
    if not fits or any(size not in (None, found) for found, size in zip(answer.shape, expected, strict=True)):
        raise ModelError(f"{place} {_words(answer)}; must be a tensor [{shown}]")
    if answer.device.type != "meta" and not answer.isfinite().all():
        fix = "mend what makes them: a logarithm or root of 0 or less, a division by 0, weights that grew"
        raise ModelError(f"{place} values that are not finite; {fix}")


def _words(answer: Any) -> str:
    return f"a tensor {list(answer.shape)}" if isinstance(answer, Tensor) else f"a {type(answer).__name__}"


def _names(terms: Mapping[str, Any]) -> str:
    return ", ".join(map(str, terms)) or "nothing"
