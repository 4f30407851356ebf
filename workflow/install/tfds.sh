#!/usr/bin/env bash
# tfds.sh PYTHON VENV: the environment of `make test-tfds`, with tensorflow-datasets and TensorFlow.
set -euo pipefail
python=$1 venv=$2
say() { printf '%s\n' "$*" >&2; }
[ -x "$venv/bin/pip" ] || { rm -rf "$venv"; "$python" -m venv "$venv"; }
say "installing tensorflow-datasets and TensorFlow into $venv (some minutes the first time)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r workflow/install/tfds.txt ||
    { say "TensorFlow could not be installed; it has wheels for Python 3.10 to 3.13"; exit 1; }
