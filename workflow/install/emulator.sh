#!/usr/bin/env bash
# emulator.sh: install QEMU's user emulation, with which tests ask another maker's processor; without it they are skipped.
set -euo pipefail
command -v qemu-x86_64 >/dev/null && exit 0
[ "$(uname -m)" = x86_64 ] && command -v apt-get >/dev/null || exit 0
sudo=; [ "$(id -u)" = 0 ] || sudo="sudo -n"
if ! { $sudo apt-get update -q && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends qemu-user; } >&2; then
    printf '%s\n' "cannot install qemu-user; tests on emulated processors are skipped" >&2
fi
