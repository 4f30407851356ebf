#!/bin/bash
# Guess: a key that some lines of a JSON log have is a column of the table.
# True: polars looks at the first 100 lines; a key that first stands in a later one is left out of the table, no word. A
#   number that is whole there and has a part after the point later is an error. `infer_schema_length=None` reads all.
# Versions: polars 2.1.0. Source: documented under `infer_schema_length`; that it is silent: run.
# What we do: logs are read line by line, and a line without controls is told with its number.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q polars==2.1.0
cd "$work"
venv/bin/python - <<'EOF'
import json
from pathlib import Path
import polars as pl

lines = [{"timestamp": 0.1 * i} | ({"controls": [0.0, 1.0]} if i >= 150 else {}) for i in range(300)]
Path("log.jsonl").write_text("\n".join(map(json.dumps, lines)))
default = pl.read_ndjson("log.jsonl").columns
whole = pl.read_ndjson("log.jsonl", infer_schema_length=None).columns
print(f"polars {pl.__version__}: 300 lines, controls from line 151 on (a camera that started first)")
print("columns:", default, "with infer_schema_length=None:", whole)
assert default == ["timestamp"] and whole == ["timestamp", "controls"]
EOF
