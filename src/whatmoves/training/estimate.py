"""What a study's training asks of a machine, told from shapes, and the hours that this machine takes for it.

Models are built on PyTorch's meta device, where a tensor has a shape and no memory: full-size models cost milliseconds.
"""

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from whatmoves import plugins
from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError, ModelError
from whatmoves.models.answers import require_terms
from whatmoves.models.interface import Step, Trains
from whatmoves.study import ModelEntry, Study

log = logging.getLogger(__name__)

CLIPS = 2  # of the counted batch: batch norm needs two, and the count is linear in clips
PASSES = 3  # a training step is a forward pass and, of as many operations each, the gradients of inputs and of weights
MEASURED_S = 2.0
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm)


def try_on_shapes(entry: ModelEntry, shape: ClipShape, clips: int, where: str, centres: bool = True) -> None:
    """Build a model and take its loss of a batch of `clips`, without memory; raises the `ConfigError` that a job would,
    and `ModelError` for a loss that gives back what no training can use.

    `centres`: whether batches of the data set have the objects' centres.

    Any other error is left to that job: what asks for values (`.item()`, a mask, NumPy) cannot run on shapes alone,
    and PyTorch says that with the same types of error as a true misfit.
    """
    try:
        with shapes_only():
            model = plugins.build_model(entry.kind, entry.options, shape, where)
            for layer in model.modules():
                if isinstance(layer, NORMS):
                    layer.register_forward_pre_hook(_needs_two_values)
            _loss(model, noise(shape, clips, centres))
    except (ConfigError, ModelError) as error:
        said = str(error)
        raise type(error)(said if said.startswith(where) else f"{where}: {said}") from None
    except Exception:
        log.debug("%s cannot be tried on shapes alone", where, exc_info=True)


def _needs_two_values(layer: nn.Module, inputs: tuple[Tensor]) -> None:
    """Raise `ConfigError` where a norm gets one value for a mean and a spread; PyTorch's own error has no type."""
    (values,) = inputs  # [N, C, ...]
    if values.numel() == (layer.num_groups if isinstance(layer, nn.GroupNorm) else values.shape[1]):
        raise ConfigError(
            f"a batch has 1 clip, of which a {type(layer).__name__} gets 1 value for a mean and a spread; it needs "
            "≥ 2. Set training.batch_size to 2 or more."
        )


def cpu_hours(study: Study) -> float:
    """Hours of wall time for all trainings, on all processors of this machine at once; an order of magnitude."""
    return training_operations(study) / operations_per_cpu_s() / (os.cpu_count() or 1) / 3600


def training_operations(study: Study) -> float:
    """Floating-point operations of all trainings of a study. Models without gradients count as nothing."""
    total = 0.0
    for name, dataset in study.data.items():
        shape = plugins.open_source(dataset.kind, dataset.options, Path("unread"), f"data.{name}").shape
        for model, entry in study.models.items():
            if name in entry.trains_on:
                clips = study.training_of(model).clips * len(study.seeds_of(model))
                total += operations_per_clip(entry, shape, f"models.{model}") * clips
    return total


def operations_per_clip(entry: ModelEntry, shape: ClipShape, where: str) -> float:
    """Floating-point operations of a training step, for each of its clips; 0 for a model without gradients.

    Counted are the matrix products, convolutions and recurrent cells of the first step's loss. A loss that cannot run
    on shapes alone runs once on two clips of noise; there, PyTorch does not see into an LSTM.
    """
    try:
        with shapes_only():
            return _counted(entry, shape, where)
    except ConfigError:
        raise
    except Exception:  # whatever a loss says of tensors without values
        return _counted(entry, shape, where)


def operations_per_cpu_s() -> float:
    """Operations that one processor does in a second of its time, training a small network in fp32 for two seconds.

    In processor time, so that jobs beside it do not matter. A few channels on few pixels reach the speed of our models
    within a factor of two, those of the default study and the full-size ones; a large matrix product, the machine's
    peak, is several times as fast.
    """
    network = nn.Sequential(
        nn.Conv2d(16, 16, 3, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(16, 32, 4, stride=2, padding=1),
        nn.BatchNorm2d(32),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(32 * 8 * 8, 128),
    ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pictures = torch.rand(32, 16, 16, 16).contiguous(memory_format=torch.channels_last)

    def step() -> None:
        network.zero_grad()
        network(pictures).square().mean().backward()

    with FlopCounterMode(display=False) as counter:  # and what only a first step has to do
        step()
    steps, started_s = 0, time.process_time()
    while (elapsed_s := time.process_time() - started_s) < MEASURED_S:
        step()
        steps += 1
    return float(counter.get_total_flops()) * steps / elapsed_s


@contextlib.contextmanager
def shapes_only() -> Iterator[None]:
    """New tensors have a shape and no memory. `torch.autocast` knows no such device, and does nothing meanwhile."""
    with torch.device("meta"), mock.patch.object(torch, "autocast", return_value=contextlib.nullcontext()):
        yield


def _counted(entry: ModelEntry, shape: ClipShape, where: str) -> float:
    network = plugins.build_model(entry.kind, entry.options, shape, where)
    with FlopCounterMode(display=False) as counter:
        _loss(network, noise(shape, CLIPS))
    return PASSES * float(counter.get_total_flops()) / CLIPS


def noise(shape: ClipShape, clips: int, centres: bool = True) -> Batch:
    """A batch of noise of a data set's shapes, with one object's centres or without any."""
    video = torch.rand(clips, *shape[:4])
    actions, states = (
        torch.rand(clips, shape.frames, width) if width else None for width in (shape.actions, shape.states)
    )
    centres_px = torch.rand(clips, shape.frames, 1, 2) * torch.tensor([shape.height, shape.width]) if centres else None
    return Batch(video, actions, states, centres_px)


def _loss(network: nn.Module, batch: Batch) -> None:
    """Take the first training step's loss, where there is one and weights that learn from it."""
    if isinstance(network, Trains) and any(parameter.requires_grad for parameter in network.parameters()):
        network.train()
        require_terms(network, network.loss(batch, Step(0, len(batch.video))))
