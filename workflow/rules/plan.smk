# Planning: commands chosen through each model that reads actions, all its seeds in one process, and what the true world does
# with them; then without a model. Tasks are drawn by the job itself.
rule plan:
    input:
        checkpoints=lambda wildcards: [
            f"{R}/train/{wildcards.dataset}/{wildcards.model}/seed-{seed}/checkpoint.pt"
            for seed in STUDY.seeds_of(wildcards.model)
        ],
    output:
        plan=f"{R}/plan/{{dataset}}/{{model}}/plan.json",
        tasks=f"{R}/plan/{{dataset}}/{{model}}/tasks.npz",
        timings=f"{R}/plan/{{dataset}}/{{model}}/timings.json",
        receipt=f"{R}/plan/{{dataset}}/{{model}}/receipt.json",
    log:
        f"{LOGS}/plan/{{dataset}}/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/plan/{{dataset}}/{{model}}.tsv"
    wildcard_constraints:
        model="|".join(STUDY.models),
    priority: 10
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=gpus,
        slurm_partition=partition,
        mem_mb=by_attempt(8000),
        runtime=by_attempt(240),
    params:
        **proof("plan"),
        configfile=place_of_config,
    shell:
        "whatmoves plan --configfile {params.configfile:q} --dataset {wildcards.dataset:q} --model {wildcards.model:q} --expect {params.expect:q} &> {log:q}"


rule plan_floors:
    output:
        plan=f"{R}/plan/{{dataset}}/floors/plan.json",
        tasks=f"{R}/plan/{{dataset}}/floors/tasks.npz",
        receipt=f"{R}/plan/{{dataset}}/floors/receipt.json",
    log:
        f"{LOGS}/plan/{{dataset}}/floors.log",
    benchmark:
        f"{BENCHMARKS}/plan/{{dataset}}/floors.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(60),
    params:
        **proof("plan_floors"),
        configfile=place_of_config,
    shell:
        "whatmoves plan --configfile {params.configfile:q} --dataset {wildcards.dataset:q} --floors --expect {params.expect:q} &> {log:q}"
