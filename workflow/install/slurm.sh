#!/usr/bin/env bash
# slurm.sh [accounting]: install Debian's SLURM for `make test-slurm`, or say what is missing. Its services stay off: the test starts
# its own daemons, with a configuration of their own.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
needed=(munged slurmctld slurmd sbatch)
packages=(slurmctld slurmd slurm-client munge)
services=(slurmctld slurmd munge)
if [ "${1:-}" = accounting ]; then
    needed+=(slurmdbd mariadbd)
    packages+=(slurmdbd mariadb-server)
    services+=(slurmdbd mariadb)
fi
lacks() { for name in "${needed[@]}"; do command -v "$name" >/dev/null || return 0; done; return 1; }
lacks || exit 0
sudo=; [ "$(id -u)" = 0 ] || sudo="sudo -n"
if command -v apt-get >/dev/null; then
    { $sudo apt-get update -q && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}"; } >&2 || true
    if [ -d /run/systemd/system ] && ! lacks; then $sudo systemctl disable --now "${services[@]}" >&2 || true; fi
fi
if lacks; then
    printf '%s\n' "SLURM is not installed and could not be: as root, apt-get install ${packages[*]} (Debian or Ubuntu)" >&2
    exit 1
fi
