# Data: the stored validation and test clips with their factors (training clips are drawn fresh while training, or cut
# from frames that stand in validation.npz). The input is what a data set is made of outside the results, if anything.
from whatmoves.commands.data import raw_files


rule data:
    input:
        raw=lambda wildcards: [str(path) for path in raw_files(STUDY.data[wildcards.dataset])],
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
    priority: 30  # what trainings wait for
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
        "whatmoves data --configfile {params.configfile:q} --dataset {wildcards.dataset:q} --expect {params.expect:q} &> {log:q}"
