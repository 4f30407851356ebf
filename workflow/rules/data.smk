# Data: the stored validation and test clips with their factors (training clips are drawn fresh while training, or cut
# from frames that stand in validation.npz). The input is what a data set is made of outside the results, if anything;
# the pictures of a recording, which may be many thousands, and files that may lie anywhere are a parameter instead: one
# hash of them all.
from whatmoves.commands.data import contents_digest

# One rule for each set of splits that kinds of data sets store: `data`, and `data_test_novel` where there is that too.
for SPLITS in dict.fromkeys(stored_splits(entry.kind) for entry in STUDY.data.values()):

    rule:
        name:
            "_".join(["data", *SPLITS[2:]])
        input:
            raw=lambda wildcards: RAW[wildcards.dataset],
        output:
            splits=[f"{R}/data/{{dataset}}/{split}.{suffix}" for split in SPLITS for suffix in ("npz", "csv")],
            receipt=f"{R}/data/{{dataset}}/receipt.json",
        log:
            f"{LOGS}/data/{{dataset}}.log",
        benchmark:
            f"{BENCHMARKS}/data/{{dataset}}.tsv"
        wildcard_constraints:
            dataset="|".join(
                name for name, entry in STUDY.data.items() if stored_splits(entry.kind) == SPLITS
            ),
        priority: 30  # what trainings wait for
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=by_attempt(4000),
            runtime=by_attempt(30),
        params:
            **proof("data"),
            configfile=place_of_config,
            contents=lambda wildcards: contents_digest(STUDY, wildcards.dataset, Path(R)),
        shell:
            "whatmoves data --configfile {params.configfile:q} --dataset {wildcards.dataset:q} --expect {params.expect:q} &> {log:q}"


# What a study takes from the internet, fetched beforehand: `snakemake prefetch`, with the options of the run, on the login
# node of a cluster whose nodes reach none.
rule prefetch:
    log:
        f"{LOGS}/prefetch.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        configfile=place_of_config,
    shell:
        "whatmoves prefetch --configfile {params.configfile:q} &> {log:q}"
