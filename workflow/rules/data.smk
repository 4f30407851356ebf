# Data: the stored validation and test clips with their factors (training clips are drawn fresh while training).
rule data:
    output:
        validation=f"{R}/data/{{dataset}}/validation.npz",
        validation_factors=f"{R}/data/{{dataset}}/validation.csv",
        test=f"{R}/data/{{dataset}}/test.npz",
        test_factors=f"{R}/data/{{dataset}}/test.csv",
        receipt=f"{R}/data/{{dataset}}/receipt.json",
    log:
        f"{LOGS}/data/{{dataset}}.log",
    benchmark:
        f"{BENCHMARKS}/data/{{dataset}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        configfile=place_of_config,
        code=depends("data", "code_digest"),
        settings=depends("data", "settings_text"),
        environment=depends("data", "environment_text"),
        expect=depends("data", "digest"),
    shell:
        "whatmoves data --configfile {params.configfile} --dataset {wildcards.dataset} --expect {params.expect} &> {log}"
