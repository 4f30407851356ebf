#!/usr/bin/env bash
# docs.sh PYTHON VENV: the environment of `make docs`, which builds the documentation as a site.
set -euo pipefail
python=$1 venv=$2
say() { printf '%s\n' "$*" >&2; }
[ -x "$venv/bin/pip" ] || { rm -rf "$venv"; "$python" -m venv "$venv"; }
say "installing what builds the documentation into $venv (half a minute the first time)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r docs/requirements.txt
