#!/usr/bin/env bash
# python.sh PYTHON VENV: a virtual environment with the pinned packages and this package, editable.
set -euo pipefail
python=$1 venv=$2
say() { printf '%s\n' "$*" >&2; }

command -v "$python" >/dev/null || { say "no $python found; install Python 3.11 or newer, or name one: make PYTHON=python3.12 …"; exit 2; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    { say "$("$python" --version) is too old; this project needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 2; }

can_compile() { # a C compiler, and the headers of this Python
    command -v cc >/dev/null &&
        "$python" -c 'import pathlib, sys, sysconfig; sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").is_file())'
}
make_venv() { "$python" -m venv "$venv" >/dev/null 2>&1; }
if [ ! -x "$venv/bin/pip" ] && ! make_venv; then
    # Debian and Ubuntu keep venv in a package of its own.
    rm -rf "$venv"
    package=$("$python" -c 'import sys; print(f"python3.{sys.version_info[1]}-venv")')
    sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
    if command -v apt-get >/dev/null && { [ -z "$sudo" ] || command -v sudo >/dev/null; }; then
        $sudo apt-get update -q >&2
        DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends "$package" >&2 ||
            DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends python3-venv >&2
    fi
    make_venv || { say "cannot make a virtual environment with $python; install $package and run make again"; exit 2; }
fi
# For this Python a pinned package exists as source only (immutables, which Snakemake needs).
if "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 14))' && ! can_compile; then
    package=$("$python" -c 'import sys; print(f"python3.{sys.version_info[1]}-dev")')
    sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
    if command -v apt-get >/dev/null && { [ -z "$sudo" ] || command -v sudo >/dev/null; }; then
        $sudo apt-get update -q >&2
        DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends gcc libc6-dev "$package" >&2 || true
    fi
    can_compile || { say "$("$python" --version) needs a compiler for one package; install gcc and $package, or use an older one: make PYTHON=python3.13 …"; exit 2; }
fi
say "installing the pinned packages into $venv (a few minutes the first time)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --use-pep517 -r requirements.txt
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --editable .
