# Judges: trained once a data set on its training digits. They are asked where a model is evaluated; from what they said, and
# from its codes, it is then judged without network or GPU. Floors have no evaluation: they are asked and judged in one.
rule judges:
    input:
        data=[f"{R}/data/{{dataset}}/{split}" for split in ("test.npz", "test.csv")],
    output:
        judges=f"{R}/judges/{{dataset}}/judges.pt",
        quality=f"{R}/judges/{{dataset}}/quality.json",
        receipt=f"{R}/judges/{{dataset}}/receipt.json",
    log:
        f"{LOGS}/judges/{{dataset}}.log",
    benchmark:
        f"{BENCHMARKS}/judges/{{dataset}}.tsv"
    priority: 20
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=gpus,
        slurm_partition=partition,
        mem_mb=by_attempt(4000),
        runtime=by_attempt(120),
    params:
        **proof("judges"),
        configfile=place_of_config,
    shell:
        "whatmoves judge --configfile {params.configfile:q} --dataset {wildcards.dataset:q} --train --expect {params.expect:q} &> {log:q}"


rule judge:
    input:
        codes=f"{R}/evaluate/{{dataset}}/{{model}}/codes.npz",
        answers=f"{R}/evaluate/{{dataset}}/{{model}}/answers.npz",
    output:
        judgement=f"{R}/judge/{{dataset}}/{{model}}/judgement.json",
        clips=f"{R}/judge/{{dataset}}/{{model}}/clips.npz",
        receipt=f"{R}/judge/{{dataset}}/{{model}}/receipt.json",
    log:
        f"{LOGS}/judge/{{dataset}}/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/judge/{{dataset}}/{{model}}.tsv"
    wildcard_constraints:
        model="|".join(STUDY.models),
    priority: 10
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        runtime=by_attempt(120),
    params:
        **proof("judge"),
        configfile=place_of_config,
    shell:
        "whatmoves judge --configfile {params.configfile:q} --dataset {wildcards.dataset:q} --model {wildcards.model:q} --expect {params.expect:q} &> {log:q}"


rule judge_floors:
    input:
        data=[
            f"{R}/data/{{dataset}}/{split}"
            for split in ("validation.npz", "validation.csv", "test.npz", "test.csv")
        ],
        judges=f"{R}/judges/{{dataset}}/judges.pt",
    output:
        judgement=f"{R}/judge/{{dataset}}/floors/judgement.json",
        clips=f"{R}/judge/{{dataset}}/floors/clips.npz",
        receipt=f"{R}/judge/{{dataset}}/floors/receipt.json",
    log:
        f"{LOGS}/judge/{{dataset}}/floors.log",
    benchmark:
        f"{BENCHMARKS}/judge/{{dataset}}/floors.tsv"
    priority: 10
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=gpus_of_floors,
        mem_mb=by_attempt(8000),
        runtime=by_attempt(60),
    params:
        **proof("judge_floors"),
        configfile=place_of_config,
    shell:
        "whatmoves judge --configfile {params.configfile:q} --dataset {wildcards.dataset:q} --floors --expect {params.expect:q} &> {log:q}"
