"""Measure one model on one data set, all its seeds in one process: importing torch costs more than one seed does.

Written into the model's folder:

    quality.json   one number per seed and measure, curves over frames, and what the model cannot do, with the reason
    clips.npz      `seed<s>_<measure>` `[N]`, or `[P]` for swaps: what bootstraps draw from
    codes.npz      `seed<s>_<train|validation|test>_<block>` `[N, D]` float32: posterior means; `fresh<s>_…` the same of
                   the network before any training, where codes can be held against factors
    answers.npz    all else that judging reads: `pairs`, `factors_<part>_<column>`, and by `seed<s>_` what the judges
                   said (`whatmoves.judging.asking`) where there are some
    swaps.npz      `pairs` `[P, 2]` of test rows (content, motion), uint8 `truth`, `seed<s>_swapped` `[P, T, C, H, W]`,
                   `others` (see `Swaps`), and of a learned split `seed<s>_projector` `[D, D]` (see `Mixer`)
    pictures.npz   see `whatmoves.evaluation.pictures`
    timings.json   times, which differ from run to run

A measure that does not exist for a model or a data set is absent, never NaN, and its reason stands under `cannot`.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from whatmoves import plugins
from whatmoves.by_seed import kept
from whatmoves.codes.mig import mig
from whatmoves.codes.splits import reduced
from whatmoves.data.clips import ClipShape, Split, past_of, to_bytes
from whatmoves.errors import ConfigError
from whatmoves.evaluation import factors, legacy
from whatmoves.evaluation.detection import detected
from whatmoves.evaluation.encoding import Codes, batches, encoded
from whatmoves.evaluation.flops import gflops
from whatmoves.evaluation.measured_clips import Clips, open_clips
from whatmoves.evaluation.pictures import median_seed, pictures
from whatmoves.evaluation.prediction import answers, forecast, forecasts, predicted
from whatmoves.evaluation.quality import quality, summary, swap_quality
from whatmoves.evaluation.stored import Arrays, by_seed, columns
from whatmoves.evaluation.swaps import BLOCKS, Mixer, fitted_mixer, swap, swap_obstacle
from whatmoves.files import write_arrays, write_json
from whatmoves.models.answers import require_answers
from whatmoves.models.interface import Decodes, Detects, Encodes, Fits, Predicts, Reconstructs, Samples, abilities
from whatmoves.study import Evaluation, Study
from whatmoves.training.checkpoint import load_checkpoint
from whatmoves.training.runtime import choose_device, describe_device, tune_malloc


class Measured(NamedTuple):
    """What is known of one trained model; `fresh` are codes of its network before training, `answers` the judges'."""

    values: dict[str, float | bool]
    clips: dict[str, NDArray[np.float64]]
    curves: dict[str, list[float]]
    codes: dict[str, Codes]
    mixer: Mixer | None
    swapped: NDArray[np.uint8] | None
    timings: dict[str, float]
    cannot: dict[str, str]
    fresh: dict[str, Codes]
    answers: Arrays


Ask = Callable[[nn.Module, Measured, Clips, torch.device], Arrays]


def evaluate(
    study: Study,
    dataset: str,
    model: str,
    checkpoints: Mapping[int, Path],
    data_folder: Path,
    out_folder: Path,
    device: str = "auto",
    work_folder: Path | None = None,
    ask: Ask | None = None,
) -> None:
    """Measure the `checkpoints` (by seed) of `model` and write the files above into `out_folder`; `ask` asks judges.

    What is measured of a seed is kept in `work_folder`, if there is one, and not measured again. Runs on one CPU
    thread, so that the same machine gives the same bytes. Raises `DataError`, `CheckpointError` or `ConfigError` for
    what is missing, damaged or impossible.
    """
    tune_malloc()
    torch.set_num_threads(1)
    place = choose_device(device)
    entry = study.data[dataset]
    module, config = plugins.data_of(dataset, entry.kind, entry.options)
    source = module.open_source(config, data_folder)
    past_frames = past_of(entry.past_frames, source.shape.frames)
    clips = open_clips(module, config, source, study.evaluation, past_frames, study.models[model].judged)

    results: dict[int, Measured] = {}
    losses: dict[int, float | None] = {}
    first_model: nn.Module | None = None
    for seed, path in checkpoints.items():
        loaded = load_checkpoint(path, place, study.models[model].kind)
        first_model = first_model or loaded.model
        results[seed] = kept(
            work_folder, seed, partial(measured_seed, loaded.model, study, model, seed, source.shape, clips, place, ask)
        )
        losses[seed] = loaded.meta["best_validation"]
        results[seed].values["collapsed"] = bool(loaded.meta["collapsed"])
        if loaded.meta.get("stopped_early"):
            results[seed].values["clips_trained"] = int(loaded.meta["clips_seen"])
        if losses[seed] is not None:
            results[seed].values["validation_total"] = float(loaded.meta["best_validation"])
    assert first_model is not None, "evaluate needs a checkpoint"

    shown = median_seed(losses)
    loaded = load_checkpoint(checkpoints[shown], place)
    pictured = pictures(
        loaded.model, clips.test, results[shown].codes.get("test"), results[shown].mixer, clips.swaps,
        study.evaluation.shown_clips, clips.past_frames, place,
    )  # fmt: skip
    cannot: dict[str, str] = {}
    for result in results.values():
        cannot |= result.cannot
    write_arrays(out_folder / "pictures.npz", pictured)
    write_arrays(
        out_folder / "clips.npz",
        {f"seed{seed}_{name}": values for seed, result in results.items() for name, values in result.clips.items()},
    )
    write_arrays(
        out_folder / "codes.npz",
        {
            name: values
            for seed, result in results.items()
            for word, codes in (("seed", result.codes), ("fresh", result.fresh))
            for part, blocks in codes.items()
            for name, values in by_seed(word, seed, {f"{part}_{block}": blocks[block] for block in blocks}).items()
        },
    )
    answers: Arrays = {}
    if clips.swaps is not None:
        answers["pairs"] = clips.swaps.pairs
        for part, split in clips.splits.items():
            answers |= columns(part, split.factors)
    for seed, result in results.items():
        answers |= by_seed("seed", seed, result.answers)
    write_arrays(out_folder / "answers.npz", answers)
    swapped: dict[str, NDArray[Any]] = {
        f"seed{seed}_swapped": r.swapped for seed, r in results.items() if r.swapped is not None
    }
    if swapped and clips.swaps is not None:
        swapped |= clips.swaps._asdict()
        swapped |= {
            f"seed{seed}_projector": r.mixer.projector
            for seed, r in results.items()
            if r.mixer is not None and r.mixer.projector is not None
        }
    write_arrays(out_folder / "swaps.npz", swapped)
    write_json(
        out_folder / "quality.json",
        {
            "dataset": dataset,
            "model": model,
            "kind": study.models[model].kind,
            "abilities": list(abilities(first_model)),
            "split": next((result.mixer.split for result in results.values() if result.mixer), None),
            "parameters": parameters(first_model),
            "gflops": gflops(first_model, clips.test.batch(slice(0, 2), place), clips.past_frames),
            "past_frames": clips.past_frames,
            "seeds": {str(seed): result.values for seed, result in results.items()},
            "curves": {str(seed): result.curves for seed, result in results.items()},
            "cannot": cannot,
            "pictures_seed": shown,
        },
    )
    write_json(
        out_folder / "timings.json",
        {
            "device": describe_device(place),
            "threads": torch.get_num_threads(),
            "seeds": {str(seed): result.timings for seed, result in results.items()},
        },
    )


def parameters(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def measured_seed(
    trained: nn.Module,
    study: Study,
    model: str,
    seed: int,
    shape: ClipShape,
    clips: Clips,
    device: torch.device,
    ask: Ask | None,
) -> Measured:
    """Everything about one trained seed of `model`, its codes before training and what judges say of it."""
    result = measure(trained, clips, study.evaluation, device)
    fresh: dict[str, Codes] = {}
    if result.codes and not isinstance(trained, Fits) and factors.of_parts(clips.tables, clips.roles) is not None:
        torch.manual_seed(seed)
        entry = study.models[model]
        net = plugins.build_model(entry.kind, entry.options, shape, f"models.{model}").to(device).eval()
        assert isinstance(net, Encodes), "the trained one has a code"
        fresh = coded(net, clips, study.evaluation.batch_size, device, drawn_from=False)
    return result._replace(fresh=fresh, answers=ask(trained, result, clips, device) if ask else {})


def coded(model: Encodes, clips: Clips, batch_size: int, device: torch.device, drawn_from: bool) -> dict[str, Codes]:
    """Codes of all parts. Where nothing is drawn from them wide blocks become their principal components: what all
    measures of codes see, and all that need be stored."""
    with torch.inference_mode():
        codes = {name: encoded(model, split, batch_size, device) for name, split in clips.splits.items()}
    if not drawn_from:
        _narrow(codes)
    return codes


def measure(model: nn.Module, clips: Clips, settings: Evaluation, device: torch.device) -> Measured:
    """Everything about one model in evaluation mode on `device`; see the module for names."""
    result = Measured({}, {}, {}, {}, None, None, {}, {}, {}, {})
    own = plugins.measures(settings.measures)
    model.eval()
    require_answers(model, clips.test.batch(slice(0, 2), device), clips.past_frames)
    with torch.inference_mode():
        if isinstance(model, Reconstructs):
            seconds: list[float] = []
            of_clips, curves = quality(_reconstructed(model, clips.test, settings.batch_size, device, seconds), own)
            result.clips.update(of_clips)
            result.curves.update(curves)
            result.timings["forward_ms_per_clip"] = 1000 * sum(seconds) / len(clips.test.video)
        else:
            result.cannot["reconstruct"] = "it does not reconstruct clips"
        if isinstance(model, Samples):
            result.timings["generation_ms_per_clip"] = _generation_ms(model, settings.batch_size, device)
        else:
            result.cannot["sample"] = "it has no prior to draw from"
        _measure_predictions(model, clips, settings, device, result)
        if isinstance(model, Detects):
            found = detected(model, clips.test, settings.batch_size, device)
            result.values.update(found.values)
            result.curves.update(found.curves)
        if isinstance(model, Encodes) and clips.swaps is not None:
            draws = isinstance(model, Decodes)
            result.codes.update(coded(model, clips, settings.batch_size, device, drawn_from=draws))
            if draws:
                result = result._replace(mixer=mixer_of(result.codes["train"], clips))
        swapped = _measure_swaps(model, clips, settings, device, result)
    result.values.update(summary(result.clips))
    _measure_codes(clips, settings, result)
    if swapped is not None and clips.swaps is not None:
        content, motion = (clips.test.video[clips.swaps.pairs[: legacy.SWAP_PAIRS, side]] / 255 for side in (0, 1))
        result.values.update(legacy.swap_measures(content, motion, swapped[: legacy.SWAP_PAIRS] / 255))
    return result._replace(swapped=swapped)


def _measure_predictions(
    model: nn.Module, clips: Clips, settings: Evaluation, device: torch.device, result: Measured
) -> None:
    """Predictions of the test clips, into `result`; the reason where there are none."""
    if not isinstance(model, Predicts):
        result.cannot["predict"] = "it does not predict frames"
        return
    try:
        found = predicted(
            model, clips.test, clips.past_frames, settings.best_of, settings.batch_size, device, clips.conventions,
            plugins.measures(settings.measures),
        )  # fmt: skip
    except ConfigError as error:  # such as a past that is too short for it
        result.cannot["predict"] = str(error)
        return
    result.clips.update(found.clips)
    result.curves.update(found.curves)
    for word, split in clips.other_tests.items():
        other = answers(forecasts(model, split, clips.past_frames, settings.batch_size, device))
        for name in ("mse_pixel", "psnr_frame"):
            result.clips[f"predict_{word}_{name}"] = other.clips[f"predict_{name}"]
    batch = clips.test.batch(slice(0, settings.batch_size), device)
    start = _now(device)  # all is set up: the model has predicted before
    forecast(model, batch, clips.past_frames)
    result.timings["prediction_ms_per_clip"] = 1000 * (_now(device) - start) / len(batch.video)


def mixer_of(train: Codes, clips: Clips) -> Mixer | None:
    """How codes with the training part `train` are mixed."""
    targets = factors.of_parts(clips.tables, clips.roles)
    return fitted_mixer(train, targets["train"] if targets else None)


def _narrow(codes: dict[str, Codes]) -> None:
    """Wide blocks as their principal components, in place."""
    for block, train in list(codes["train"].items()):
        narrow = reduced(train)
        if narrow is not None:
            for part in codes.values():
                part[block] = narrow.codes(part[block]).astype(np.float32)


def _reconstructed(
    model: Reconstructs, split: Split, batch_size: int, device: torch.device, seconds: list[float]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of (reconstruction, truth); the time of each call of the model goes to `seconds`."""
    for rows in batches(len(split.video), batch_size):
        video = split.batch(rows, device).video
        if rows.start == 0:
            model.reconstruct(video[:2])  # the first call of a process pays for set-up
        start = _now(device)
        reconstruction = model.reconstruct(video)
        seconds.append(_now(device) - start)
        yield reconstruction, video


def _generation_ms(model: Samples, count: int, device: torch.device) -> float:
    generator = torch.Generator().manual_seed(0)
    model.sample(2, generator)
    start = _now(device)
    model.sample(count, generator)
    return 1000 * (_now(device) - start) / count


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter()


def _measure_swaps(
    model: nn.Module, clips: Clips, settings: Evaluation, device: torch.device, result: Measured
) -> NDArray[np.uint8] | None:
    """The model's swaps as uint8, their quality in `result`; None, with the reason in `result`, where it cannot."""
    obstacle = clips.unswapped if clips.swaps is None else swap_obstacle(model, result.mixer)
    mixer, task = result.mixer, clips.swaps
    if obstacle is not None or task is None or mixer is None or not isinstance(model, Decodes):
        result.cannot["swap"] = str(obstacle)
        return None
    made: list[NDArray[np.uint8]] = []

    def answers() -> Iterator[tuple[Tensor, Tensor]]:
        for rows in batches(len(task.pairs), settings.batch_size):
            video = swap(model, result.codes["test"], mixer, task.pairs[rows], device)
            made.append(to_bytes(video))
            yield video, task.nearest(rows, video)

    result.clips.update(swap_quality(answers(), plugins.measures(settings.measures)))
    return np.concatenate(made)


def _measure_codes(clips: Clips, settings: Evaluation, result: Measured) -> None:
    """MIG of the whole code and the original's block measures, on the test clips' codes."""
    codes = result.codes.get("test")
    if codes is None:
        reason = "it has no code" if clips.swaps is not None else clips.unswapped
        result.cannot["mig"] = result.cannot["legacy_blocks"] = reason
        return
    targets = factors.primary(clips.test.factors, clips.roles)
    if targets is None:
        result.cannot["mig"] = factors.NO_TARGETS
    else:
        whole = np.concatenate([codes[block] for block in sorted(codes)], axis=1)
        found = mig(whole.astype(np.float64), targets.values, targets.kinds, settings.code_bins, settings.factor_bins)
        result.values["mig"] = found.score
        for name, score in zip(targets.names, found.per_factor.tolist(), strict=True):
            result.values[f"mig_{name}"] = score
    labels = factors.legacy_labels(clips.test.factors)
    if not set(BLOCKS) <= set(codes):
        result.cannot["legacy_blocks"] = "its code has no content and motion blocks; cut in half it would mean nothing"
    elif labels is None:
        result.cannot["legacy_blocks"] = "clips have no class and direction"
    else:
        result.values.update(legacy.block_measures(codes["content"], codes["motion"], *labels))
