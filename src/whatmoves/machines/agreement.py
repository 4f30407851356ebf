"""One training step in fp32 on the CPU and on another device: the loss and all gradients side by side.

Weights, clips and the noise of the step are drawn on the host and sent; dropout is off, since its mask cannot be. What
is left is rounding: sums in another order.
"""

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from whatmoves import plugins
from whatmoves.data.clips import Batch
from whatmoves.loading import load_study
from whatmoves.models.interface import Step
from whatmoves.study import Study
from whatmoves.training import runtime

log = logging.getLogger(__name__)

LOSS_RELATIVE = 1e-4
"""Most that a loss may be off; a sum of 10⁶ numbers in another order is off by some 1e-6 of itself."""
GRADIENTS_ALIKE = 1 - 1e-3
"""Least cosine between all gradients; compiled steps on one CPU reach it (tests/models/test_compiled.py)."""


class HostNoise(TorchFunctionMode):
    """Inside, noise is drawn on the host and sent to the device that asked for it."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Draw here what `func` would draw there."""
        kwargs = kwargs or {}
        if func in (torch.randn_like, torch.rand_like):
            draw = torch.randn if func is torch.randn_like else torch.rand
            like: Tensor = args[0]
            return draw(like.shape, dtype=like.dtype).to(like.device)
        if func in (torch.randn, torch.rand) and kwargs.get("generator") is None:
            place = kwargs.pop("device", None)
            drawn: Tensor = func(*args, **kwargs, device="cpu")
            return drawn.to(place or "cpu")
        return func(*args, **kwargs)


def step(network: nn.Module, batch: Batch, clips_total: int, device: torch.device) -> tuple[float, Tensor]:
    """The total loss and all gradients in a row (double, on the CPU) of the first step, halfway through the budget."""
    network = network.to(device).train()
    without_dropout(network)
    there = Batch(*(None if values is None else values.to(device) for values in batch))  # type: ignore[arg-type]
    torch.manual_seed(1)
    with HostNoise():
        loss = network.loss(there, Step(clips_total // 2, clips_total))["total"]  # type: ignore[operator]
    loss.backward()
    gradients = [p.grad.detach().flatten().double().cpu() for p in network.parameters() if p.grad is not None]
    return float(loss.detach()), torch.cat(gradients)


def without_dropout(network: nn.Module) -> None:
    """No module drops anything: PyTorch's own layers and those that keep a fraction under `dropout`."""
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(getattr(module, "dropout", None), float):
            module.dropout = 0.0  # type: ignore[assignment]


def compare(study: Study, dataset: str, model: str, data: Path, clips: int, device: torch.device) -> dict[str, Any]:
    """JSON: both losses, `loss_off` (relative), `cosine` of all gradients, and whether both are within tolerance."""
    entry, of_data, results = study.models[model], study.data[dataset], []
    source = plugins.open_source(of_data.kind, of_data.options, data / dataset, f"data.{dataset}")
    batch = source.train_batch(0, 0, clips, torch.device("cpu"))
    for place in (torch.device("cpu"), device):
        torch.manual_seed(0)
        network = plugins.build_model(entry.kind, entry.options, source.shape, f"models.{model}")
        results.append(step(network, batch, study.training_of(model).clips, place))
    (cpu_loss, cpu), (loss, gradients) = results
    off = abs(loss - cpu_loss) / max(abs(cpu_loss), 1e-12)
    cosine = float(torch.dot(cpu, gradients) / (cpu.norm() * gradients.norm()))
    found = {"dataset": dataset, "model": model, "loss_cpu": cpu_loss, "loss": loss, "loss_off": off, "cosine": cosine}
    return {**found, "agrees": off <= LOSS_RELATIVE and cosine >= GRADIENTS_ALIKE}


def main(plan_file: str, lines_file: str) -> None:
    """Compare what a plan names, one line of JSON each."""
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    plan = json.loads(Path(plan_file).read_text(encoding="utf-8"))
    study, device = load_study(Path(plan["study"])), runtime.choose_device(plan["device"])
    runtime.prepare(device, plan["threads"], study.arithmetic)
    with Path(lines_file).open("a", encoding="utf-8") as lines:
        for dataset, model, way in plan["wanted"]:
            try:
                row = compare(study, dataset, model, Path(plan["data"]), plan["clips"], device)
                log.info("  %-22s loss off by %.1e, gradients' cosine %.7f", model, row["loss_off"], row["cosine"])
            except (RuntimeError, NotImplementedError) as error:
                row = {"dataset": dataset, "model": model, "error": next(iter(str(error).splitlines()), "")}
                log.info("  %-22s failed: %s", model, row["error"])
            lines.write(json.dumps({**row, "way": way}) + "\n")
            lines.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
