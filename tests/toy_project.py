"""A small project of its own: a package shaped like ours, a study, and all its results with receipts."""

from pathlib import Path

from whatmoves.files import write_json
from whatmoves.provenance.jobs import expected_jobs, receipt_of
from whatmoves.provenance.receipts import recording
from whatmoves.study import Study

MODULES = {
    "__init__": "",
    "study": "from whatmoves.settings import Settings",
    "settings": "LIMIT = 1",
    "plugins": "import importlib\n\ndef load(name):\n    return importlib.import_module(name)",
    "arithmetic/__init__": "",
    "arithmetic/level": "PORTABLE = {}",
    "arithmetic/kernels": "import numpy\nimport torch",
    "data/__init__": "",
    "data/toy": "import numpy as np\n\nSIZE = 3",
    "models/__init__": "",
    "models/losses/__init__": "",
    "models/losses/kl": "def kl(a, b):\n    return a - b",
    "models/losses/mse": "def mse(a, b):\n    return (a - b) ** 2",
    "models/alpha": "from whatmoves.models.losses.kl import kl",
    "models/beta": "from whatmoves.models.losses import kl, mse",
    "models/gamma": "from .losses.mse import mse",
    "training/__init__": "",
    "training/train": "import torch\nfrom whatmoves.plugins import load\nfrom whatmoves.study import Study",
    "evaluation/__init__": "",
    "evaluation/evaluate": "from whatmoves.plugins import load",
    "evaluation/floors": "from whatmoves.plugins import load",
    "analysis/__init__": "",
    "analysis/values": "STEPS = 2",
    "figures/__init__": "",
    "figures/style": "import matplotlib",
    "figures/make": "from whatmoves.figures import style\nfrom whatmoves.plugins import load",
    "figures/rollout": "WIDTH = 1",
    "figures/swaps": "WIDTH = 2",
    "figures/animations": "import imageio",
    "paper/__init__": "",
    "paper/build": "import jinja2",
}


class Project:
    """A project folder with `src/`, requirements.txt and results/small."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "src"
        self.root = folder / "results" / "small"
        self.prose = folder / "paper" / "main.tex.j2"
        self.study = self.with_settings()

    def write_tree(self) -> None:
        """Write everything but the results."""
        for name, text in MODULES.items():
            self.edit(name, text)
        lock = "numpy==2.4.6\ntorch==2.13.0  # a comment\nmatplotlib==3.11.2\n"
        (self.folder / "requirements.txt").write_text(lock)
        (self.folder / "Snakefile").write_text("rule all:\n    input: []\n")
        self.prose.parent.mkdir()
        self.prose.write_text("A paper.")

    def edit(self, module: str, text: str) -> None:
        path = self.source / "whatmoves" / f"{module}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def with_settings(self, **changes: object) -> Study:
        """The project's study with some of its top-level settings replaced."""
        models = {name: {"trains_on": ["toy"]} for name in ("alpha", "beta", "gamma")}
        raw = {"study": "small", "seeds": [0, 1], "data": {"toy": {"options": {"size": 3}}}, "models": models}
        return Study.model_validate({**raw, **changes})

    def files(self, kind: str, w: dict[str, str]) -> tuple[list[Path], list[Path]]:
        """Inputs and outputs of a job."""
        data = self.root / "data" / "toy" / "test.npz"
        train = self.root / "train" / "toy"
        evaluate = self.root / "evaluate" / "toy"
        figures = [self.root / "figures" / f"{name}.pdf" for name in ("rollout", "swaps")]
        values = self.root / "values.json"
        match kind:
            case "data":
                return [], [data]
            case "train":
                return [data], [train / w["model"] / f"seed-{w['seed']}" / "checkpoint.pt"]
            case "evaluate":
                points = [train / w["model"] / f"seed-{seed}" / "checkpoint.pt" for seed in (0, 1)]
                return [data, *points], [evaluate / w["model"] / name for name in ("quality.json", "codes.npz")]
            case "analyse":
                return [evaluate / name / "quality.json" for name in ("alpha", "beta", "gamma")], [values]
            case "figure":
                return [values, evaluate / "alpha" / "codes.npz"], [self.root / "figures" / f"{w['figure']}.pdf"]
            case _:
                timings = train / "alpha" / "seed-0" / "timings.json"
                return [values, *figures, self.prose, timings], [self.root / "paper" / "main.pdf"]

    def jobs(self) -> list[tuple[str, dict[str, str]]]:
        *others, paper = expected_jobs(self.study)
        return [*others, ("figure", {"figure": "rollout"}), ("figure", {"figure": "swaps"}), paper]

    def run(self, kind: str, wildcards: dict[str, str], expect: str | None = None) -> None:
        inputs, outputs = self.files(kind, wildcards)
        receipt = self.root / receipt_of(kind, **wildcards)
        with recording(
            kind, self.study, wildcards, inputs=inputs, outputs=outputs, receipt=receipt, root=self.root,
            expect=expect, source=self.source,
        ):  # fmt: skip
            for path in outputs:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(f"{kind} {wildcards} {[p.read_bytes() for p in inputs]}".encode())
            if kind == "analyse":
                write_json(outputs[0], index())
            if kind == "train":
                write_json(outputs[0].with_name("timings.json"), {"seconds": 1.5})


def index() -> dict[str, object]:
    """A value index of two numbers."""
    psnr = {
        "value": 23.4142, "unit": "dB", "interval": [23.1, 23.8], "n": 1000, "seeds": {"0": 23.3, "1": 23.5},
        "format": ".2f", "label": "PSNR", "files": ["evaluate/toy/alpha/quality.json"],
    }  # fmt: skip
    count = {
        "value": 4791681, "unit": "", "interval": None, "n": None, "seeds": {}, "format": ",d",
        "label": "parameters", "files": ["evaluate/toy/alpha/quality.json"],
    }  # fmt: skip
    return {"study": "small", "values": {"toy.alpha.psnr_frame": psnr, "toy.alpha.parameters": count}}
