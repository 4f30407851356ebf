"""How long a study's training would take on this machine's processor: one timed step of each model, multiplied out."""

import os
import time
from pathlib import Path

import torch
from torch import nn

from whatmoves import plugins
from whatmoves.data.clips import Batch, ClipShape
from whatmoves.models.interface import Step
from whatmoves.study import Study

CLIPS = 2  # of the timed batch: batch norm needs two


def cpu_hours(study: Study) -> float:
    """Hours of wall time with as many trainings at once as there are processors for them; an order of magnitude."""
    total_s = 0.0
    timed: dict[tuple[str, str], float] = {}  # variants of one kind cost about the same: one step of the first tells
    for model, entry in study.models.items():
        training = study.training_of(model)
        for dataset in entry.trains_on:
            data = study.data[dataset]
            if (entry.kind, dataset) not in timed:
                shape = plugins.open_source(data.kind, data.options, Path("unread"), f"data.{dataset}").shape
                network = plugins.build_model(entry.kind, entry.options, shape, f"models.{model}")
                trained = any(parameter.requires_grad for parameter in network.parameters())
                timed[entry.kind, dataset] = _seconds_per_clip(network, shape) if trained else 0.0
            total_s += timed[entry.kind, dataset] * training.clips * len(study.seeds_of(model))
    at_once = max(1, (os.cpu_count() or 1) // study.training.threads)
    return total_s / at_once / 3600


def _seconds_per_clip(network: nn.Module, shape: ClipShape) -> float:
    """Time of one forward and backward pass, cold: full-size models take long enough for that to matter little."""
    video = torch.rand(CLIPS, *shape[:4])
    actions, states = (
        torch.rand(CLIPS, shape.frames, width) if width else None for width in (shape.actions, shape.states)
    )
    centres = torch.rand(CLIPS, shape.frames, 1, 2) * torch.tensor([shape.height, shape.width])
    started = time.perf_counter()
    terms = network.loss(Batch(video, actions, states, centres), Step(0, CLIPS))  # type: ignore[operator]
    terms["total"].backward()
    return (time.perf_counter() - started) / CLIPS
