# Test sets in which one factor leaves its training range, their floors, and what each model loses on them.
rule shift_sets:
    input:
        data=[f"{R}/data/{{dataset}}/{split}" for split in ("test.npz", "test.csv")],
        judges=lambda wildcards: of_judged(wildcards.dataset, f"judges/{wildcards.dataset}/judges.pt"),
    output:
        shift=f"{R}/shift/{{dataset}}/sets/shift.json",
        sets=f"{R}/shift/{{dataset}}/sets/sets.npz",
        receipt=f"{R}/shift/{{dataset}}/sets/receipt.json",
    log:
        f"{LOGS}/shift/{{dataset}}/sets.log",
    benchmark:
        f"{BENCHMARKS}/shift/{{dataset}}/sets.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=gpus_of_floors,
        mem_mb=by_attempt(8000),
        runtime=by_attempt(60),
    params:
        **proof("shift_sets"),
        configfile=place_of_config,
    shell:
        "whatmoves shift --configfile {params.configfile:q} --dataset {wildcards.dataset:q} --sets --expect {params.expect:q} &> {log:q}"


rule shift:
    input:
        data=[f"{R}/data/{{dataset}}/{split}" for split in ("test.npz", "test.csv")],
        sets=[f"{R}/shift/{{dataset}}/sets/{name}" for name in ("shift.json", "sets.npz")],
        judged=lambda wildcards: of_judged(
            wildcards.dataset,
            f"judges/{wildcards.dataset}/judges.pt",
            f"evaluate/{wildcards.dataset}/{wildcards.model}/swaps.npz",
        ),
        checkpoints=lambda wildcards: [
            f"{R}/train/{wildcards.dataset}/{wildcards.model}/seed-{seed}/checkpoint.pt"
            for seed in STUDY.seeds_of(wildcards.model)
        ],
    output:
        shift=f"{R}/shift/{{dataset}}/{{model}}/shift.json",
        clips=f"{R}/shift/{{dataset}}/{{model}}/clips.npz",
        receipt=f"{R}/shift/{{dataset}}/{{model}}/receipt.json",
    log:
        f"{LOGS}/shift/{{dataset}}/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/shift/{{dataset}}/{{model}}.tsv"
    wildcard_constraints:
        model="|".join(STUDY.models),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=gpus,
        slurm_partition=partition,
        mem_mb=by_attempt(8000),
        runtime=by_attempt(60),
    params:
        **proof("shift"),
        configfile=place_of_config,
    shell:
        "whatmoves shift --configfile {params.configfile:q} --dataset {wildcards.dataset:q} --model {wildcards.model:q} --expect {params.expect:q} &> {log:q}"
