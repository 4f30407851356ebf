# Factors exchanged one by one in the codes of models that draw from them, and the floors of that.
rule exchange:
    input:
        judges=f"{R}/judges/{{dataset}}/judges.pt",
        floors=f"{R}/exchange/{{dataset}}/floors/exchange.json",
        evaluated=[f"{R}/evaluate/{{dataset}}/{{model}}/{name}.npz" for name in ("answers", "codes", "swaps")],
        checkpoints=lambda wildcards: [
            f"{R}/train/{wildcards.dataset}/{wildcards.model}/seed-{seed}/checkpoint.pt"
            for seed in STUDY.seeds_of(wildcards.model)
        ],
    output:
        exchange=f"{R}/exchange/{{dataset}}/{{model}}/exchange.json",
        clips=f"{R}/exchange/{{dataset}}/{{model}}/clips.npz",
        receipt=f"{R}/exchange/{{dataset}}/{{model}}/receipt.json",
    log:
        f"{LOGS}/exchange/{{dataset}}/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/exchange/{{dataset}}/{{model}}.tsv"
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
        **proof("exchange"),
        configfile=place_of_config,
    shell:
        "whatmoves exchange --configfile {params.configfile:q} --dataset {wildcards.dataset:q} --model {wildcards.model:q} --expect {params.expect:q} &> {log:q}"


rule exchange_floors:
    input:
        data=[f"{R}/data/{{dataset}}/{split}" for split in ("test.npz", "test.csv")],
        judges=f"{R}/judges/{{dataset}}/judges.pt",
    output:
        exchange=f"{R}/exchange/{{dataset}}/floors/exchange.json",
        clips=f"{R}/exchange/{{dataset}}/floors/clips.npz",
        receipt=f"{R}/exchange/{{dataset}}/floors/receipt.json",
    log:
        f"{LOGS}/exchange/{{dataset}}/floors.log",
    benchmark:
        f"{BENCHMARKS}/exchange/{{dataset}}/floors.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=gpus_of_floors,
        mem_mb=by_attempt(8000),
        runtime=by_attempt(60),
    params:
        **proof("exchange_floors"),
        configfile=place_of_config,
    shell:
        "whatmoves exchange --configfile {params.configfile:q} --dataset {wildcards.dataset:q} --floors --expect {params.expect:q} &> {log:q}"
