"""The screen of a run on a terminal: what runs, how far each job is, what is next, and the time left."""

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from snakemake_logger_plugin_whatmoves.run import Run, duration, in_words

BAR_COLUMNS = 24
MOST_JOBS = 16  # that a screen has room for, on a cluster of many


def drawn(run: Run) -> RenderableType:
    """The run now."""
    left = run.left_s() if run.running else None
    head = Table.grid(padding=(0, 2))
    head.add_row(
        ProgressBar(total=max(1, run.total), completed=run.done, width=BAR_COLUMNS),
        Text(f"{run.done} of {run.total} jobs", style="bold"),
        Text(f"{duration(run.clock() - run.began)} so far"),
        Text("" if left is None else f"about {duration(left)} left", style="bold"),
        Text(f"{run.failed} failed" if run.failed else "", style="bold red"),
    )
    jobs = Table.grid(padding=(0, 2))
    for job in list(run.running.values())[:MOST_JOBS]:
        progress, cells = job.progress(), [Text(""), Text("")]
        if progress is not None:
            cells = [
                Text(f"{progress.clips / progress.total:.0%} of {progress.total:,} clips"),
                Text(f"loss {progress.loss}, {progress.clips_per_s:,} clips/s", style="dim"),
            ]
        jobs.add_row(Text("  " + job.name), Text(duration(run.clock() - job.started), justify="right"), *cells)
    parts: list[RenderableType] = [head, jobs]
    if len(run.running) > MOST_JOBS:
        parts.append(Text(f"  and {len(run.running) - MOST_JOBS} more"))
    if waiting := in_words(run.waiting):
        parts.append(Text(f"  then {waiting}", style="dim", overflow="ellipsis", no_wrap=True))
    return Group(*parts)
