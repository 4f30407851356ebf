"""`steps.py STUDY LEVEL THREADS`: the first training step of every model of a study and each of its abilities, as JSON.

`--only-steps` takes one model of a kind and leaves abilities out: full-size models draw slowly. `--without=KIND,KIND`
leaves these kinds out.

Models and data sets are named on stderr before each part, so that a crash can be told by its place.
"""

import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from whatmoves.arithmetic.level import set_level

set_level(sys.argv[2])  # type: ignore[arg-type]

import torch
from torch import Tensor, nn

from whatmoves import plugins
from whatmoves.data.clips import Batch, ClipShape, past_of
from whatmoves.loading import load_study
from whatmoves.models.interface import Future, Step, abilities
from whatmoves.training.loop import _prepare
from whatmoves.training.optimiser import make_optimiser

CLIPS = 2


def noise(shape: ClipShape) -> Batch:
    """Clips that need no files: the same at every level, because random numbers are."""
    video = torch.rand(CLIPS, *shape[:4])
    widths = (shape.actions, shape.states)
    actions, states = (torch.rand(CLIPS, shape.frames, width) if width else None for width in widths)
    centres = torch.rand(CLIPS, shape.frames, 1, 2) * torch.tensor([shape.height, shape.width])
    return Batch(video, actions, states, centres)


def parts(network: nn.Module, batch: Batch, past: int, training: Any) -> Iterator[tuple[str, Any]]:
    """Each part's name, and then its numbers."""
    if any(parameter.requires_grad for parameter in network.parameters()):
        yield "step", lambda: step(network, batch, training)
    network.eval()
    for ability in abilities(network):
        yield ability, lambda ability=ability: use(network, ability, batch, past)


def step(network: nn.Module, batch: Batch, training: Any) -> list[Tensor]:
    """The loss, the norm of all gradients, and the norm of the weights after one step of the optimiser."""
    _prepare(network, training, torch.device("cpu"))
    optimiser = make_optimiser(network, training, torch.device("cpu"))
    torch.manual_seed(1)
    loss = network.loss(batch, Step(0, CLIPS))["total"]
    loss.backward()
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    norm = torch.stack([g.double().square().sum() for g in gradients]).sum()
    optimiser.step()
    weights = torch.stack([p.detach().double().square().sum() for p in network.parameters()]).sum()
    return [loss, norm, weights]


@torch.no_grad()
def use(network: nn.Module, ability: str, batch: Batch, past: int) -> list[Tensor]:
    """What an ability answers."""
    generator = torch.Generator().manual_seed(0)
    video = batch.video
    answer: Any
    match ability:
        case "sample":
            answer = network.sample(CLIPS, generator)
        case "decode":
            answer = network.decode(network.encode(video))
        case "predict":
            answer = network.predict(
                video[:, :past], video.shape[1] - past, Future(batch.actions, batch.states, generator)
            )
        case _:
            answer = getattr(network, ability)(video)
    return list(answer.values()) if isinstance(answer, dict) else [answer]


def main() -> None:
    """Print sums of all numbers, in float64."""
    study = load_study(Path(sys.argv[1]))
    torch.set_num_threads(int(sys.argv[3]))
    found, tried = {}, set()
    only_steps = "--only-steps" in sys.argv
    without = [kind for word in sys.argv if word.startswith("--without=") for kind in word.partition("=")[2].split(",")]
    for model, entry in study.models.items():
        if entry.kind in without:
            continue
        for dataset in entry.trains_on:
            data = study.data[dataset]
            if only_steps and (entry.kind, dataset) in tried:
                continue  # variants of a kind have the same layers
            tried.add((entry.kind, dataset))
            source = plugins.open_source(data.kind, data.options, Path("unread"), f"data.{dataset}")
            torch.manual_seed(0)
            network = plugins.build_model(entry.kind, entry.options, source.shape, f"models.{model}")
            batch = noise(source.shape)
            if hasattr(network, "fit"):
                network.fit(iter([batch] * 4))
            plain = study.training_of(model).model_copy(update={"compile": False})  # a compiler takes minutes
            past = past_of(data.past_frames, source.shape.frames)
            for name, numbers in itertools.islice(parts(network, batch, past, plain), 1 if only_steps else None):
                print(f"{model} on {dataset}: {name}", file=sys.stderr, flush=True)
                found[f"{model} on {dataset}: {name}"] = [float(x.double().abs().sum()) for x in numbers()]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
