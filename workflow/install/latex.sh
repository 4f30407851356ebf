#!/usr/bin/env bash
# latex.sh: install the LaTeX packages that the paper needs, from the distribution, where they are missing, and the font
# for those whose titles, authors or labels are Chinese, Japanese or Korean (2 MB; nothing else needs it).
set -euo pipefail
packages="latexmk texlive-latex-base texlive-latex-recommended texlive-latex-extra texlive-fonts-recommended"
font=fonts-droid-fallback
say() { printf '%s\n' "$*" >&2; }

complete() {
    command -v latexmk >/dev/null && command -v pdflatex >/dev/null && command -v kpsewhich >/dev/null &&
        for file in booktabs.sty cleveref.sty microtype.sty natbib.sty adjustbox.sty enumitem.sty pplr8t.tfm; do
            kpsewhich "$file" >/dev/null || return 1
        done
}
sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
install() {
    $sudo apt-get update -q >&2
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends "$@" >&2
}
# The font is no reason to stop, nor to ask for a password: a study that needs it is told so before it starts.
add_font() {
    if [ -e /usr/share/fonts-droid-fallback ] || ! command -v apt-get >/dev/null; then return; fi
    [ -z "$sudo" ] || sudo -n true 2>/dev/null || return 0
    install $font || say "$font could not be installed; only Chinese, Japanese and Korean letters need it"
}
complete && { add_font; exit 0; }

if ! command -v apt-get >/dev/null; then
    say "LaTeX is missing and this is no Debian or Ubuntu; install latexmk, pdflatex and booktabs, cleveref, microtype, natbib, adjustbox, enumitem (TeX Live), then run make again"
    exit 2
fi
if [ -n "$sudo" ] && ! { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }; then
    say "LaTeX is missing and this user cannot install it; ask an administrator to run: apt-get install --no-install-recommends $packages"
    exit 2
fi
say "installing LaTeX (about 100 MB to download, 330 MB on disk)"
# shellcheck disable=SC2086  # the list is meant to be split
install $packages
complete || { say "LaTeX was installed, yet files are still missing; run: apt-get install --reinstall $packages"; exit 2; }
add_font
