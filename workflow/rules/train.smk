# Training: one run a job. On a GPU it asks for one; otherwise it is one thread of its own, so that a laptop trains as
# many models at once as it has cores. State to resume from stands outside the declared outputs, in results/*/work/: a
# retry goes on from there, so it asks for no more time. `exec` puts the training in the place of the shell around it: a
# cluster that ends a job tells every process of it, and Snakemake would take the end of the shell for that of the job,
# and the cluster the end of Snakemake for leave to kill a training that is still writing its state.
# Long jobs go first (priority), so that short ones are left to fill the cores at the end.
rule train:
    input:
        validation=f"{R}/data/{{dataset}}/validation.npz",
        validation_factors=f"{R}/data/{{dataset}}/validation.csv",
        files=named_files,
    output:
        checkpoint=f"{R}/train/{{dataset}}/{{model}}/seed-{{seed}}/checkpoint.pt",
        history=f"{R}/train/{{dataset}}/{{model}}/seed-{{seed}}/history.csv",
        timings=f"{R}/train/{{dataset}}/{{model}}/seed-{{seed}}/timings.json",
        receipt=f"{R}/train/{{dataset}}/{{model}}/seed-{{seed}}/receipt.json",
    log:
        f"{LOGS}/train/{{dataset}}/{{model}}/seed-{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}/train/{{dataset}}/{{model}}/seed-{{seed}}.tsv"
    priority: 20
    conda:
        "../../environment.yml"
    threads: STUDY.training.threads
    resources:
        gpu=gpus,
        slurm_partition=partition,
        mem_mb=by_attempt(16000),
        runtime=720,
    params:
        **proof("train"),
        configfile=place_of_config,
    shell:
        "exec whatmoves train --configfile {params.configfile:q} --dataset {wildcards.dataset:q} --model {wildcards.model:q} --seed {wildcards.seed:q} --expect {params.expect:q} &> {log:q}"
