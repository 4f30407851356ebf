"""A whole training step at full size beside the original's own code, in seconds of the processor: fp32, one thread.

ORIGINALS=FOLDER python benchmarks/steps.py [--level portable] [--only NAME …] [--turns 3]

FOLDER holds copies of the originals' repositories, brought there as benchmarks/originals.md says; none is part of this
one. Both take the same number of clips of noise of the same shape; ours has the original's settings, where it differs
from them by default. A step is all between two batches: gradients, their clipping where the original clips, Adam.
"""

import argparse
import contextlib
import importlib
import os
import sys
import types
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rows import RESULTS, Row, keep, seconds_of_both

from whatmoves.arithmetic.level import in_force, set_level
from whatmoves.files import read_json

Make = Callable[[Path, int], tuple[int, Callable[[], object]]]
"""From an original's folder and a number of clips: how many parameters it has, and what takes a step."""


class Comparison(NamedTuple):
    """Ours, by kind and options, and the original, by folder and what makes its step of `clips` clips."""

    kind: str
    options: dict[str, Any]
    clips: int
    folder: str
    original: Make
    clip_norm: float | None = None
    optimizer: str = "adam"


def ours(comparison: Comparison) -> tuple[int, Callable[[], object]]:
    """A step as `training.loop` takes it, at full size."""
    import torch

    from whatmoves.data.clips import Batch
    from whatmoves.models.interface import Step
    from whatmoves.study import Training
    from whatmoves.training.loop import _prepare
    from whatmoves.training.optimiser import clip_gradients, make_optimiser

    module = importlib.import_module(f"whatmoves.models.{comparison.kind}")
    shape, clips, cpu = module.FULL_SHAPE, comparison.clips, torch.device("cpu")
    model = module.Model(module.Config(**comparison.options), shape)
    training = Training(batch_size=clips, clip_norm=comparison.clip_norm, optimizer=comparison.optimizer)
    _prepare(model, training, cpu)
    optimiser = make_optimiser(model, training, cpu)
    actions, states = (torch.rand(clips, shape.frames, n) if n else None for n in (shape.actions, shape.states))
    batch = Batch(torch.rand(clips, *shape[:4]), actions, states, torch.rand(clips, shape.frames, 1, 2) * shape.height)

    def step() -> None:
        total = model.loss(batch, Step(900, 1000))["total"]
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        clip_gradients(model, training)
        optimiser.step()

    return _count(model), step


def jepa(folder: Path, clips: int) -> tuple[int, Callable[[], object]]:
    """The video JEPA and both of its probes; the encoder runs once for each of the three, as there."""
    import torch
    from torch import nn

    with _importable(folder):
        nets, losses, wholes, images = (
            importlib.import_module(f"eb_jepa.{name}") for name in ("architectures", "losses", "jepa", "image_decoder")
        )
    encoder, projector = nets.ResNet5(1, 32, 16), nets.Projector("16-64-64")
    predictor = nets.StateOnlyPredictor(nets.ResUNet(32, 32, 16), context_length=2)
    whole = wholes.JEPA(
        encoder, encoder, predictor, losses.VCLoss(10, 100, proj=projector), losses.SquareLossSeq(projector)
    )
    pixels = wholes.JEPAProbe(whole, images.ImageDecoder(16, 1), nn.MSELoss())
    places = wholes.JEPAProbe(whole, nets.DetHead(16, 32, 1), nn.BCELoss())
    learnt = nn.ModuleList([whole, pixels.head, places.head])
    optimiser = torch.optim.Adam(learnt.parameters(), lr=1e-3)
    video, maps = torch.rand(clips, 1, 10, 64, 64), torch.rand(clips, 10, 8, 8).round()

    def step() -> None:
        optimiser.zero_grad()
        _, (total, *_) = whole.unroll(video, None, nsteps=4, unroll_mode="parallel", compute_loss=True)
        (total + pixels(video, video) + places(video, maps)).backward()
        optimiser.step()

    return _count(learnt), step


def cvae(forced: bool) -> Make:
    """The conditional VAE by its own `train`, teacher-forced or on its own predictions from the first frame on."""

    def make(folder: Path, clips: int) -> tuple[int, Callable[[], object]]:
        import torch
        from torch import nn

        with _importable(folder):
            package = types.ModuleType("models")  # which its script imports from, and its repository lacks
            package.__path__ = [str(folder)]
            sys.modules["models"] = package
            script = importlib.import_module("train_fixed_prior")
        networks = {
            "frame_predictor": script.lstm(128 + 64 + 7, 128, 256, 2, clips, "cpu"),
            "posterior": script.gaussian_lstm(128, 64, 256, 1, clips, "cpu"),
            "encoder": script.vgg_encoder(128),
            "decoder": script.vgg_decoder(128),
        }
        learnt = nn.ModuleList(networks.values()).apply(script.init_weights)
        optimiser = torch.optim.Adam(learnt.parameters(), lr=2e-3)
        said = Namespace(n_past=2, n_future=10, tfr=float(forced), last_frame_skip=False, batch_size=clips)
        weight = Namespace(get_beta=lambda: 1e-4)
        video, told = torch.rand(clips, 12, 3, 64, 64), torch.rand(clips, 12, 7)
        return _count(learnt), lambda: script.train(video, told, networks, optimiser, weight, said)

    return make


def tinydreams(folder: Path, clips: int) -> tuple[int, Callable[[], object]]:
    """TinyDreams with the constants of its script, the frame under zero controls included."""
    import torch
    import torch.nn.functional as F

    with _importable(folder):
        script = importlib.import_module("train")
    model = script.TransformerNextFrameGenerator(
        3, 4, script.EMBED_DIM, script.PATCH_SIZE, script.TRANSFORMER_NHEAD, script.TRANSFORMER_NUM_ENCODER_LAYERS,
        script.TRANSFORMER_DIM_FEEDFORWARD_SCALE, script.TRANSFORMER_DROPOUT, 256, 256,
        script.ACTION_PROCESS_MLP_HIDDEN_LAYERS, script.DECODER_CNN_FILTER_SIZES,
        use_interleaved_attention=False, num_registrar_tokens=script.NUM_REGISTRAR_TOKENS, use_conv_tokenizer=True,
        tokenizer_conv_out_channels=script.TOKENIZER_CONV_OUT_CHANNELS, tokenizer_num_resblocks_per_stage=2,
        decoder_num_resblocks_per_stage=2,
    )  # fmt: skip
    optimiser = torch.optim.AdamW(model.parameters(), lr=6e-4, weight_decay=1e-5)
    now, following, controls = torch.rand(clips, 3, 256, 256), torch.rand(clips, 3, 256, 256), torch.rand(clips, 4)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        still = F.l1_loss(model(now, torch.zeros_like(controls)), now)
        (F.l1_loss(model(now, controls), following) + script.RECONSTRUCTION_LOSS_WEIGHT * still).backward()
        optimiser.step()

    return _count(model), step


def vae(name: str, class_name: str, **options: int) -> Make:
    """One of the content/motion trio, with its own loss and its shipped limit on the gradient."""

    def make(folder: Path, clips: int) -> tuple[int, Callable[[], object]]:
        import torch

        with _importable(folder):
            module = importlib.import_module(f"models.{name}")
        model = getattr(module, class_name)(**options)
        optimiser = torch.optim.Adam(model.parameters(), lr=3e-4, weight_decay=1e-5)
        video = torch.rand(clips, 20, 1, 64, 64)

        def step() -> None:
            optimiser.zero_grad()
            made = model(video)
            asked = {"beta": 0.4, "recon_loss_type": "bce"}
            if name == "disentangled_vae":
                terms = module.compute_loss(made, video, temporal_weight=0.05, independence_weight=0.02, **asked)
            else:
                drawn, _, mean, logvar = made
                terms = module.compute_loss(drawn, video, mean, logvar, **asked)
            terms["total_loss"].backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimiser.step()

        return _count(model), step

    return make


CVAE_FOLDER, TRIO = "Lightweight_Video_Prediction_Using_Enhanced_CVAE", "disentangled-VAE"
AS_THERE: dict[str, Any] = {"skip_from": "before_last_given", "future_states": "true"}
COMPARISONS = {
    "JEPA, 4 steps": Comparison("jepa", {}, 2, "eb_jepa", jepa),
    "CVAE, teacher-forced": Comparison("cvae", {**AS_THERE, "forcing_decay": 0}, 4, CVAE_FOLDER, cvae(True)),
    "CVAE, free": Comparison("cvae", {**AS_THERE, "forcing": 0, "replace_past": True}, 4, CVAE_FOLDER, cvae(False)),
    "TinyDreams": Comparison("tinydreams", {"still_weight": 0.4}, 2, "tinyDreams", tinydreams, optimizer="adamw"),
    "baseline VAE": Comparison("baseline_vae", {}, 8, TRIO, vae("baseline_vae", "BaselineVAE"), 5.0),
    "LSTM-VAE": Comparison("lstm_vae", {}, 8, TRIO, vae("lstm_vae", "LSTMVAE", lstm_layers=2), 5.0),
    "content/motion VAE": Comparison(
        "disentangled_vae", {"temporal_weight": 0.05}, 8, TRIO, vae("disentangled_vae", "DisentangledVAE"), 5.0
    ),
}


def _count(model: Any) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Modules of `folder` can be imported while the block runs, and are forgotten after it: names occur twice."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            places = [getattr(sys.modules[name], "__file__", None), *getattr(sys.modules[name], "__path__", [])]
            if any(place and Path(place).is_relative_to(folder) for place in places):
                del sys.modules[name]


def main() -> None:
    """Compare what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--level", choices=["native", "portable"], default="native")
    parser.add_argument("--only", nargs="*", choices=COMPARISONS, default=list(COMPARISONS))
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    originals = os.environ.get("ORIGINALS")
    if not originals:
        print("training steps: left out, ORIGINALS names no folder with the originals (benchmarks/originals.md)")
        return
    set_level(asked.level)
    import torch

    from whatmoves.training.runtime import prepare

    prepare(torch.device("cpu"), 1, asked.level)
    rows = []
    for name in asked.only:
        comparison = COMPARISONS[name]
        folder = Path(originals).resolve() / comparison.folder
        if not folder.is_dir():
            print(f"{name}: left out, {folder} is no folder")
            continue
        try:
            their_count, theirs = comparison.original(folder, comparison.clips)
        except ImportError as error:
            print(f"{name}: left out, its code cannot be imported ({error})")
            continue
        count, own = ours(comparison)
        assert count == their_count, f"{name}: {count:,} parameters, the original {their_count:,}"
        seconds = seconds_of_both(own, theirs, asked.turns)
        what = f"{name}: {comparison.clips} clips, {count:,} parameters"
        rows.append(Row(what, seconds[0], "s a step", seconds[1], "the original", at_least=1.5))
    if rows:
        part = "steps" if in_force() == "native" else "steps_portable"
        kept = RESULTS / f"rows-{part}.json"
        # Those of an original that is not here today stay as they were.
        before = [Row(**row) for row in read_json(kept)["rows"]] if kept.exists() else []
        rows += [row for row in before if row.what not in {new.what for new in rows}]
        rows.sort(key=lambda row: list(COMPARISONS).index(row.what.split(":")[0]))
        keep(part, rows, f"Whole training steps in fp32, one thread, both at the {in_force()} level.")


if __name__ == "__main__":
    main()
