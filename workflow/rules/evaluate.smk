# Evaluation: all seeds of one model in one process, because importing torch costs more than measuring one of them. All that
# needs its networks is done here, the judges' questions included: what judges it later are numbers on a CPU.
rule evaluate:
    input:
        data=lambda wildcards: [
            f"{R}/data/{wildcards.dataset}/{split}.{suffix}"
            for split in stored_splits(STUDY.data[wildcards.dataset].kind)
            for suffix in ("npz", "csv")
        ],
        files=named_files,
        checkpoints=lambda wildcards: [
            f"{R}/train/{wildcards.dataset}/{wildcards.model}/seed-{seed}/checkpoint.pt"
            for seed in STUDY.seeds_of(wildcards.model)
        ],
        judges=lambda wildcards: (
            f"{R}/judges/{wildcards.dataset}/judges.pt"
            if STUDY.is_judged(wildcards.dataset, wildcards.model)
            else []
        ),
    output:
        quality=f"{R}/evaluate/{{dataset}}/{{model}}/quality.json",
        clips=f"{R}/evaluate/{{dataset}}/{{model}}/clips.npz",
        codes=f"{R}/evaluate/{{dataset}}/{{model}}/codes.npz",
        pictures=f"{R}/evaluate/{{dataset}}/{{model}}/pictures.npz",
        swaps=f"{R}/evaluate/{{dataset}}/{{model}}/swaps.npz",
        answers=f"{R}/evaluate/{{dataset}}/{{model}}/answers.npz",
        timings=f"{R}/evaluate/{{dataset}}/{{model}}/timings.json",
        receipt=f"{R}/evaluate/{{dataset}}/{{model}}/receipt.json",
    log:
        f"{LOGS}/evaluate/{{dataset}}/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/evaluate/{{dataset}}/{{model}}.tsv"
    wildcard_constraints:
        model="|".join(STUDY.models),
    priority: 10
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=gpus,
        slurm_partition=partition,
        mem_mb=by_attempt(16000),
        runtime=by_attempt(120),
    params:
        **proof("evaluate"),
        configfile=place_of_config,
    shell:
        "whatmoves evaluate --configfile {params.configfile:q} --dataset {wildcards.dataset:q} --model {wildcards.model:q} --expect {params.expect:q} &> {log:q}"


rule floor:
    input:
        data=[f"{R}/data/{{dataset}}/{split}" for split in ("test.npz", "test.csv")],
    output:
        quality=f"{R}/evaluate/{{dataset}}/{{model}}/quality.json",
        clips=f"{R}/evaluate/{{dataset}}/{{model}}/clips.npz",
        receipt=f"{R}/evaluate/{{dataset}}/{{model}}/receipt.json",
    log:
        f"{LOGS}/evaluate/{{dataset}}/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/evaluate/{{dataset}}/{{model}}.tsv"
    wildcard_constraints:
        model="|".join(of_clips()),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=by_attempt(4000),
        runtime=by_attempt(30),
    params:
        **proof("floor"),
        configfile=place_of_config,
    shell:
        "whatmoves evaluate --configfile {params.configfile:q} --dataset {wildcards.dataset:q} --model {wildcards.model:q} --expect {params.expect:q} &> {log:q}"
