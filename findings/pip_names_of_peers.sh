#!/bin/bash
# Guess: `pip install openstl` brings the benchmark of video prediction, and `ssim` the similarity of pictures.
# True: OpenSTL is not on PyPI: `openstl` reads and writes meshes for 3D printing, `ssim` reads timetables of airlines. Both
#   install, and look right in a requirements file.
# Versions: openstl 4.0.1, ssim 0.3.0 (only what they say of themselves is read). Source: run.
# What we do: docs/measures.md names OpenSTL by repository and commit.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-deps --only-binary :all: openstl==4.0.1 ssim==0.3.0
cd "$work"
venv/bin/python - <<'EOF'
from importlib.metadata import metadata

words = {"openstl": "STL serializer", "ssim": "Schedules"}
for name, word in words.items():
    summary = metadata(name)["Summary"]
    print(f"{name} {metadata(name)['Version']}: {summary}")
    assert word in summary
EOF
