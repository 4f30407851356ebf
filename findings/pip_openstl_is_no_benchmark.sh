#!/bin/bash
# Guess: `pip install openstl` brings OpenSTL, the benchmark of video prediction that papers compare with.
# True: OpenSTL is not on PyPI. The package of that name reads and writes meshes for 3D printing (STL files); it installs,
#   and looks right in a requirements file until something is imported from it.
# Versions: openstl 4.0.1 (only what it says of itself is read). Source: run.
# What we do: docs/measures.md names OpenSTL by its repository.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-deps --only-binary :all: openstl==4.0.1
cd "$work"
venv/bin/python - <<'EOF'
from importlib.metadata import metadata

summary = metadata("openstl")["Summary"]
print(f"openstl {metadata('openstl')['Version']}: {summary}")
assert "STL serializer" in summary
EOF
