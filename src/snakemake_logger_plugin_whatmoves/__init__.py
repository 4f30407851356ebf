"""Snakemake's progress, calmly: one screen on a terminal, a line for each job's start and end elsewhere.

Snakemake finds it by its name; profiles/*/config.yaml ask for it (`logger: whatmoves`). A dry run, `--verbose` and
`--printshellcmds` want Snakemake's own words and get them. Of a failed job the end of its log is shown.
"""

import atexit
import contextlib
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text
from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_whatmoves.locked import TELLS, advice
from snakemake_logger_plugin_whatmoves.run import Run, duration
from snakemake_logger_plugin_whatmoves.screen import drawn

# What Snakemake says of itself at each start, and again and again; what it means stands on the screen or in the lines.
OF_SNAKEMAKE = (
    "Assuming unrestricted shared filesystem",
    "Building DAG of jobs",
    "Conda environments: ignored",
    "Execute ",
    "Group jobs: inactive",
    "host: ",
    "Provided ",
    "RuleException",
    "Rules claiming more threads",
    "Select jobs to execute",
    "Singularity containers: ignored",
    "Using shell",
    "Using workflow specific profile",
)
MANY_JOBS = 20  # from here on, the time left is worth some seconds of measuring
SILENT = {
    LogEvent.PROGRESS, LogEvent.SHELLCMD, LogEvent.JOB_STARTED, LogEvent.RESOURCES_INFO, LogEvent.RULEGRAPH,
    LogEvent.WORKFLOW_STARTED, LogEvent.GROUP_INFO, LogEvent.DEBUG_DAG,
}  # fmt: skip


class LogHandler(LogHandlerBase):
    """The handler that Snakemake makes; it writes to stderr, as Snakemake's own does (a dry run's to stdout)."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        settings = self.common_settings
        quiet = settings.quiet
        self.own: logging.Handler | None = None
        self.words = DefaultFormatter(quiet, settings.show_failed_logs)
        self.run = Run()
        self.live: Live | None = None
        self.study: list[str] = []
        self.console = Console(stderr=True, no_color=settings.nocolor or None, highlight=False)
        if quiet or settings.dryrun or settings.verbose or settings.printshellcmds or settings.debug_dag:
            self.own = ColorizingTextHandler(settings.nocolor, sys.stdout if settings.stdout else sys.stderr)
            self.own.setFormatter(self.words)
            self.own.addFilter(
                DefaultFilter(
                    quiet, settings.debug_dag, settings.verbose, settings.dryrun, settings.printshellcmds
                ).filter
            )
        elif self.console.is_terminal:
            self.live = Live(
                get_renderable=lambda: drawn(self.run), console=self.console, refresh_per_second=2, transient=True
            )
            atexit.register(self.close)

    def emit(self, record: logging.LogRecord) -> None:
        """Show an event."""
        if self.own is not None:
            self.own.handle(record)
            return
        try:
            self._show(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Take the screen away."""
        if self.live is not None:
            self.live.stop()
            self.live = None
        super().close()

    def _show(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        lines = self.run.take(record)
        if event == LogEvent.WORKFLOW_STARTED:
            given = [str(path) for path in record.__dict__.get("configfiles") or []]
            self.study = given or [str(Path(record.__dict__["snakefile_main"]).parent / "config/config.yaml")]
        if event == LogEvent.RUN_INFO and self.run.cores and self.run.total >= MANY_JOBS:
            threading.Thread(target=self._expect, daemon=True).start()
        if event == LogEvent.RUN_INFO and self.live is not None and self.run.total:
            self.live.start()
        if event in (LogEvent.JOB_INFO, LogEvent.JOB_FINISHED, LogEvent.RUN_INFO):
            if self.live is None or event == LogEvent.RUN_INFO:
                self._write(f"{datetime.now():%H:%M:%S} {line}" for line in lines)
            return
        if lines:
            self._write(lines, "bold red")
        if event in SILENT or (event == LogEvent.JOB_ERROR and lines):
            return
        text = self.words.format(record) if event else str(record.msg or "")
        if not text or text.lstrip().startswith(OF_SNAKEMAKE):
            return
        if TELLS in text:
            text = advice(Path.cwd())
        style = "red" if record.levelno >= logging.ERROR else "yellow" if record.levelno >= logging.WARNING else ""
        self._write(text.splitlines(), style)

    def _expect(self) -> None:
        """Ask what jobs should take here, in a process beside them; without an answer the run's own times must do."""
        command = [sys.executable, "-m", "whatmoves", "studies", "--expected", "--configfile", self.study[-1]]
        with contextlib.suppress(OSError, ValueError, KeyError):
            said = json.loads(subprocess.run(command, capture_output=True, check=False, text=True).stdout)
            if said["pace"] is None:
                return
            self.run.expected_s, self.run.pace = said["seconds"], said["pace"]
            left = self.run.left_s()
            if left is not None and self.live is None:
                self._write(
                    [f"{datetime.now():%H:%M:%S} about {duration(left)} on this machine, {self.run.cores} jobs at once"]
                )

    def _write(self, lines: Iterable[str], style: str = "") -> None:
        for line in lines:
            if self.console.is_terminal:
                self.console.print(Text(line, style=style))
            else:
                print(line, file=sys.stderr, flush=True)
