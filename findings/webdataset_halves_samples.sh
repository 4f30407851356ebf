#!/bin/bash
# Guess: WebDataset joins files of one name into one sample, the name ending at the last dot.
# True: it joins neighbours in the tar alone: all pictures, then all logs, gives each sample twice, halved, and no error.
#   The name ends at the FIRST dot: clip_0.5s.png and clip_0.7s.png are one sample `clip_0` (a folder may have dots).
#   A number with zeros in front loses them: 007 in a file `.id` is 7.
# Versions: webdataset 1.0.2. Source: webdataset/webdataset#140 and #258 (order), #288 (dots);
#   huggingface/datasets#7150 splits such names in yet another way.
# What we do: docs/recordings.md says how to pack frames for others: `tar --sort=name`, names without dots.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q webdataset==1.0.2 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import io, tarfile
import webdataset

def pack(path, *names):
    with tarfile.open(path, "w") as tar:
        for name in names:
            content = b"007" if name.endswith(".id") else b"{}"
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))

def samples(path):
    read = webdataset.WebDataset(path, shardshuffle=False, empty_check=False).decode()
    return [{key: value for key, value in sample.items() if key not in ("__url__", "__local_path__")} for sample in read]

pack("order.tar", "000.json", "001.json", "000.txt", "001.txt")
pack("dots.tar", "v1.2/clip_0.5s.json", "v1.2/clip_0.7s.json")
pack("zeros.tar", "000.id")
for path in ("order.tar", "dots.tar", "zeros.tar"):
    print(path, *samples(path), sep="\n  ")
assert [sorted(sample)[1] for sample in samples("order.tar")] == ["json", "json", "txt", "txt"]
assert len(samples("dots.tar")) == 1 and samples("zeros.tar")[0]["id"] == 7
EOF
