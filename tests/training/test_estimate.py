"""What training asks is counted from shapes; a check that dies says by what and where."""

from pathlib import Path

import pytest
import yaml
from tools import ROOT

from whatmoves import plugins
from whatmoves.errors import ConfigError
from whatmoves.loading import check_deeply, load_study
from whatmoves.training.estimate import operations_per_clip, training_operations

STUDY = load_study(ROOT / "config" / "config.yaml")
WITHOUT_GRADIENTS = {"pca", "mean_frame", "copy_last", "linear_extrapolation"}


@pytest.mark.parametrize("model", STUDY.models)
def test_every_model_with_gradients_counts(model: str) -> None:
    entry = STUDY.models[model]
    data = STUDY.data[entry.trains_on[0]]
    shape = plugins.open_source(data.kind, data.options, Path("unread")).shape
    assert (operations_per_clip(entry, shape, model) > 0) == (entry.kind not in WITHOUT_GRADIENTS)


def test_a_training_counts_by_clip_and_seed() -> None:
    one = STUDY.model_copy(update={"models": {"baseline_vae": STUDY.models["baseline_vae"]}})
    data = STUDY.data["moving_digits"]
    shape = plugins.open_source(data.kind, data.options, Path("unread")).shape
    clip = operations_per_clip(STUDY.models["baseline_vae"], shape, "models.baseline_vae")
    assert training_operations(one) == clip * 16_000 * 3


def test_a_check_that_dies_is_told_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "frail_models").mkdir()
    (tmp_path / "frail_models" / "frail.py").write_text(
        "import os, signal\nfrom torch import nn\nfrom whatmoves.settings import Settings\n\n\n"
        "class Config(Settings):\n    pass\n\n\n"
        "class Model(nn.Module):\n    def __init__(self, config, shape):\n"
        "        os.kill(os.getpid(), signal.SIGSEGV)\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    study = {
        "study": "frail",
        "data": {"digits": {"kind": "moving_digits"}},
        "models": {"frail": {"kind": "frail_models.frail", "trains_on": ["digits"]}},
    }
    configfile, cache = tmp_path / "frail.yaml", tmp_path / "cache"
    configfile.write_text(yaml.safe_dump(study), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        check_deeply(configfile, load_study(configfile, cache=cache), cache=cache)
    assert str(caught.value) == (
        f"{configfile}: the check died of SIGSEGV at models.frail on digits; see if `whatmoves studies --check "
        f"--configfile {configfile}` dies there again, and report it"
    )
