"""A real SLURM on this one machine, with GPUs that are scheduled though they are not there.

Daemons of Debian's packages, all on loopback, as whoever runs the tests: no systemd, no cgroups, nothing in /etc. A GPU
is a character device, which is all that SLURM asks of one; so `CUDA_VISIBLE_DEVICES` is set, and no device isolated.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

COMMANDS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "srun")
OF_ACCOUNTING = ("slurmdbd", "sacctmgr", "mariadbd", "mariadb", "mariadb-install-db")
HOW_TO_INSTALL = "apt-get install slurmctld slurmd slurm-client munge"
GPUS = ("/dev/null", "/dev/zero")  # one device each: SLURM refuses one that stands twice

# Partitions have the names of profiles/slurm. Hardware is claimed, not looked for (config_overrides): jobs ask for what
# a cluster has. The CPU partition goes first, for a waiting GPU job would reserve the one node that both have.
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SwitchType=switch/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,sched_min_interval=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
{accounting}
JobCompType=jobcomp/none
MinJobAge=3600
KillWait=10
ReturnToService=2
JobFileAppend=1
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={node_port} CPUs=4 RealMemory=200000 Gres=gpu:{gpus}
PartitionName=cpu Nodes=n1 PriorityTier=10 Default=YES MaxTime=1-00:00:00
PartitionName=gpu Nodes=n1 MaxTime=1-00:00:00
"""

NO_ACCOUNTING = "AccountingStorageType=accounting_storage/none"
# What is called a password is the socket of munge, by which clients of slurmdbd prove who they are.
ACCOUNTING = """
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={folder}/munge/socket
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
"""
SLURMDBD = """
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={port}
CommunicationParameters=NoInAddrAny
SlurmUser={user}
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database_port}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
"""
DATABASE = """
create database slurm_acct_db;
create user 'slurm'@'127.0.0.1' identified by 'slurm';
grant all on slurm_acct_db.* to 'slurm'@'127.0.0.1';
"""


def missing(accounting: bool = False) -> list[str]:
    """The commands that this needs and this machine lacks."""
    return [name for name in (*COMMANDS, *(OF_ACCOUNTING if accounting else ())) if _where(name) is None]


class RealSlurm:
    """A SLURM, and the `environment` in which `sbatch` and its kind speak to it."""

    def __init__(self, folder: Path, accounting: bool = False) -> None:
        self.folder = folder
        self.accounting = accounting
        self.ports = _free_ports()
        self.environment = _configure(folder, self.ports, accounting)
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start the daemons, each when the one that it needs is ready."""
        self._start("munged", "--foreground", *_munge_options(self.folder))
        self._wait("munged", lambda: (self.folder / "munge/socket").exists())
        if self.accounting:
            self._start_accounting()
        self._start("slurmctld", "-D", "-i")
        self._wait("slurmctld", lambda: "UP" in self.ask("scontrol", "ping"))
        self._start_node()

    def _start_accounting(self) -> None:
        """A database of its own and the daemon that keeps accounts in it, with one account: the user's."""
        data, user, port = self.folder / "mysql", psutil.Process().username(), self.ports["database"]
        install = [str(_where("mariadb-install-db")), "--no-defaults", f"--user={user}", f"--datadir={data}"]
        subprocess.run(
            [*install, "--auth-root-authentication-method=normal", "--skip-test-db"],
            capture_output=True, timeout=120, check=True,
        )  # fmt: skip
        socket_file = f"--socket={self.folder}/mysql.sock"
        self._start(
            "mariadbd", "--no-defaults", f"--user={user}", f"--datadir={data}", socket_file, f"--port={port}",
            "--bind-address=127.0.0.1", f"--pid-file={self.folder}/mysql.pid", "--innodb-buffer-pool-size=64M",
            "--innodb-lock-wait-timeout=900", "--skip-log-bin",
        )  # fmt: skip
        client = ("mariadb", "--no-defaults", "--user=root", socket_file, "--batch", "--skip-column-names", "--execute")
        self._wait("mariadbd", lambda: self.ask(*client, "select 1").strip() == "1")
        subprocess.run([*client, DATABASE], capture_output=True, timeout=60, check=True)
        self._start("slurmdbd", "-D")
        manage = ("sacctmgr", "--immediate", "--quiet")
        self._wait("slurmdbd", lambda: "Cluster" in self.ask("sacctmgr", "show", "cluster"))
        for words in (("cluster", "test"), ("account", "lab"), ("user", user, "account=lab")):
            self.ask(*manage, "add", *words)

    def lose_node(self) -> None:
        """Cut the node's power, jobs and all, and turn it on again."""
        daemon = self.daemons.pop("slurmd")
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                if process.name() in ("slurmd", "slurmstepd") or "SLURM_JOB_ID" in process.environ():
                    process.kill()
        daemon.wait()
        self._start_node()

    def stop(self) -> None:
        """Cancel all jobs, wait for their end, and end the daemons."""
        if "slurmctld" in self.daemons:
            self.ask("scancel", f"--user={psutil.Process().username()}")
            self._wait("slurmctld", lambda: not self.ask("squeue", "--noheader"))
        for daemon in reversed(self.daemons.values()):
            daemon.terminate()
            try:
                daemon.wait(timeout=15)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def processes(self) -> list[psutil.Process]:
        """Whoever was told of this configuration: daemons, jobs and whatever they started, and who sends jobs."""
        return [process for process in psutil.process_iter() if str(self.folder) in _words(process)]

    def ask(self, *command: str) -> str:
        """What a command prints; nothing if it fails."""
        answer = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        return answer.stdout if answer.returncode == 0 else ""

    def _start_node(self) -> None:
        self._start("slurmd", "-D", "-N", "n1")
        states = ("idle", "mixed", "allocated")
        self._wait("slurmd", lambda: self.ask("sinfo", "--noheader", "--format=%T").split("\n")[0] in states)

    def _start(self, name: str, *options: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.daemons[name] = subprocess.Popen(
                [str(_where(name)), *options], env=self.environment, cwd="/",
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def _wait(self, daemon: str, ready: Callable[[], bool], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                log = (self.folder / f"{daemon}.log").read_text(encoding="utf-8", errors="replace")
                raise AssertionError(f"{daemon} is not ready after {seconds} seconds:\n{log[-3000:]}")
            time.sleep(0.1)


@contextmanager
def real_slurm(accounting: bool = False) -> Iterator[RealSlurm]:
    """A SLURM that runs meanwhile; a process that outlives it is killed, and an `AssertionError`."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    slurm = RealSlurm(folder, accounting)
    try:
        try:
            slurm.start()
            yield slurm
        finally:
            slurm.stop()
    finally:
        left = slurm.processes()
        for process in left:
            process.kill()
        psutil.wait_procs(left, timeout=10)
        shutil.rmtree(folder)
    assert not left, f"outlived SLURM: {left}"


def _configure(folder: Path, ports: dict[str, int], accounting: bool) -> dict[str, str]:
    """Write the configuration; returns the whole environment that names it."""
    for name, mode in {"munge": 0o711, "state": 0o700, "spool": 0o755, "bin": 0o755}.items():
        (folder / name).mkdir(mode=mode)
    folder.chmod(0o755)
    (folder / "munge/key").write_bytes(os.urandom(128))
    (folder / "munge/key").chmod(0o400)
    user = psutil.Process().username()
    host = socket.gethostname().partition(".")[0]
    keeps = ACCOUNTING.format(folder=folder, port=ports["accounts"]) if accounting else NO_ACCOUNTING
    text = CONFIGURATION.format(
        folder=folder, user=user, host=host, ctld_port=ports["controller"], node_port=ports["node"],
        gpus=len(GPUS), accounting=keeps,
    )  # fmt: skip
    (folder / "slurm.conf").write_text(text, encoding="utf-8")
    (folder / "slurmdbd.conf").touch(mode=0o600)
    text = SLURMDBD.format(folder=folder, user=user, host=host, port=ports["accounts"], database_port=ports["database"])
    (folder / "slurmdbd.conf").write_text(text, encoding="utf-8")
    devices = "".join(f"NodeName=n1 Name=gpu File={device}\n" for device in GPUS)
    (folder / "gres.conf").write_text(devices, encoding="utf-8")
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n", encoding="utf-8")
    (folder / "plugstack.conf").touch()
    # Snakemake's plugin hides all variables SLURM_* from the srun inside a job, and so the place of the configuration.
    srun = f'#!/bin/sh\nexport SLURM_CONF={folder}/slurm.conf\nexec {_where("srun")} "$@"\n'
    (folder / "bin/srun").write_text(srun, encoding="utf-8")
    (folder / "bin/srun").chmod(0o755)
    path = [str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin", "/sbin"]
    # The tests may themselves run in a job of another SLURM, of which nothing is passed on.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    return {**inherited, "SLURM_CONF": str(folder / "slurm.conf"), "PATH": os.pathsep.join(path)}


def _munge_options(folder: Path) -> list[str]:
    places = {"socket": "socket", "key-file": "key", "log-file": "log", "pid-file": "pid", "seed-file": "seed"}
    return [f"--{option}={folder}/munge/{name}" for option, name in places.items()]


def _where(name: str) -> str | None:
    """The path of a command; daemons stand where an ordinary user does not look."""
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"]))


def _free_ports() -> dict[str, int]:
    names = ("controller", "node", "accounts", "database")
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in names]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in zip(names, sockets, strict=True)}


def _words(process: psutil.Process) -> str:
    """The command line of a process and, where it may be read, the configuration that it was started with."""
    try:
        return f"{process.cmdline()} {process.environ().get('SLURM_CONF')}"
    except psutil.Error:
        return ""
