#!/bin/bash
# Guess: pandas reads a JSON log and writes it back as it was.
# True: a column whose name looks like a time (`timestamp`) becomes dates and comes back in milliseconds, a thousand times
#   as large and rounded; "007" comes back as 7. Where one line lacks its nanoseconds, all others pass through floats and
#   are off by up to 128, also in a column of type Int64. `dtype=False` with `convert_dates=False` leaves all as it was.
# Versions: pandas 3.1.1. Source: documented under `convert_dates` and `dtype`; the nanoseconds: run.
# What we do: logs are read line by line with Python's own json; docs/recordings.md says it before you record.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pandas==3.1.1 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'EOF'
import io, json
import pandas as pd

start = 1_732_000_000_123_456_789
lines = [
    {"timestamp": 1732000000.25 + 0.1 * i, "server_timestamp_ns": start + 100_000_001 * i, "session": "007"} for i in range(5)
]

def read(records, **options):
    return pd.read_json(io.StringIO("\n".join(map(json.dumps, records))), lines=True, **options)

def back(table):
    return json.loads(table.to_json(orient="records", lines=True).splitlines()[1])

default, kept = back(read(lines)), back(read(lines, dtype=False, convert_dates=False))
lost = [{key: value for key, value in line.items() if (i, key) != (2, "server_timestamp_ns")} for i, line in enumerate(lines)]
column = read(lost, dtype_backend="numpy_nullable").server_timestamp_ns
off = [int(value) - line["server_timestamp_ns"] for value, line in zip(column, lines) if not pd.isna(value)]
print("pandas", pd.__version__, "the line as written:", lines[1])
print("read and written again:", default)
print("with dtype=False, convert_dates=False:", kept)
print(f"one time missing: nanoseconds off by {off} in a column of type {column.dtype}")
assert default["timestamp"] == 1732000000349 and default["session"] == 7 and kept["session"] == "007"
assert abs(kept["timestamp"] - lines[1]["timestamp"]) < 1e-6 and all(off) and str(column.dtype) == "Int64"
EOF
