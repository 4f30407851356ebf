"""What each job of a study should take on this machine: a measured run's times, at the speed measured here."""

import torch

from whatmoves.machine import has_usable_gpu
from whatmoves.machines.cost import MEASURED, timed
from whatmoves.machines.job_times import read_job_times
from whatmoves.provenance.closure import source_folder
from whatmoves.study import Study
from whatmoves.training.estimate import operations_per_cpu_s


def expected(study: Study) -> dict[str, float | dict[str, float] | None]:
    """`seconds` of each job, such as `train moving_digits lstm_vae 0`, on one core of the measured machine; and `pace`,
    how many times as long this one takes, measured in two seconds; None beside a GPU, where no time is known.
    """
    torch.set_num_threads(1)  # it is asked for beside jobs
    times = read_job_times(source_folder().parent / MEASURED)
    seconds = {" ".join([job.rule, *job.wildcards.values()]): round(job.cpu_s, 1) for job in timed(study, times)}
    pace = None if has_usable_gpu() else times.operations_per_cpu_s / operations_per_cpu_s()
    return {"seconds": seconds, "pace": pace}
