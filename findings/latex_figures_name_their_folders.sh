#!/bin/bash
# Guess: a paper without authors' names, made of figures without names, can be sent to a double-blind review.
# True: pdfTeX writes the path of every PDF figure into the paper, as it stood in \includegraphics or \graphicspath
#   (PTEX.FileName), home folder and user's name with it; nothing shows it on the page. \pdfsuppressptexinfo=-1 stops it.
#   And Matplotlib's letters are Type 3 fonts, which some venues refuse: pdf.fonttype 42 embeds them whole.
# Versions: pdfTeX 1.40.24 (needs `pdflatex`), Matplotlib 3.11.2. Source: pdfTeX's manual has the switch; the rest: run.
# What we do: the preamble sets the switch, figures stand in the paper's own folder, fonts are of type 42.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q matplotlib==3.11.2 numpy==2.4.6
mkdir -p "$work/home/a.author/figures" "$work/home/a.author/paper"
cd "$work/home/a.author/figures"
"$work/venv/bin/python" - <<'EOF'
import matplotlib
matplotlib.use("pdf")
from matplotlib import pyplot

for kind in (3, 42):
    with matplotlib.rc_context({"pdf.fonttype": kind, "pdf.compression": 0}):
        pyplot.figure()
        pyplot.title("PSNR")
        pyplot.savefig(f"type{kind}.pdf")
    with open(f"type{kind}.pdf", "rb") as file:
        print(f"Matplotlib {matplotlib.__version__}, fonttype {kind}: Type3 fonts in it:", b"/Type3" in file.read())
assert matplotlib.rcParamsDefault["pdf.fonttype"] == 3
EOF
cd ../paper
for switch in 0 -1; do
  echo "\\pdfsuppressptexinfo=$switch \\pdfobjcompresslevel=0 \\documentclass{article}\\usepackage{graphicx}" > paper.tex
  echo "\\graphicspath{{$work/home/a.author/figures/}}\\begin{document}\\includegraphics{type42}\\end{document}" >> paper.tex
  pdflatex -interaction=batchmode paper.tex > log 2>&1
  count=$(grep -a -c "a.author" paper.pdf || true)
  echo "$(pdflatex --version | head -n 1), \\pdfsuppressptexinfo=$switch: lines of the PDF with the author's folder: $count"
  echo "$count" >> counts
done
test "$(tr '\n' ' ' < counts)" = "1 0 "
