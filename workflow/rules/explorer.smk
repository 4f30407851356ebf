# The explorer: a folder to open in a browser, made when it is asked for. It is no `directory()`, into which Snakemake would
# write a file of its own, that the receipt does not know.
EXPLORER_PAGE = sorted(os.path.relpath(path) for path in (ROOT / "src/whatmoves/explorer/page").iterdir())


localrules:
    explorer,


rule explorer:
    input:
        values=f"{R}/values.json",
        evaluations=[
            f"{R}/evaluate/{dataset}/{model}/{name}"
            for dataset, model in PAIRS
            for name in ("quality.json", "pictures.npz", "codes.npz", "swaps.npz")
        ],
        checkpoints=checkpoints,
        data=[f"{R}/data/{dataset}/{name}" for dataset in STUDY.data for name in ("test.npz", "test.csv")],
        receipts=RECEIPTS,
        page=EXPLORER_PAGE,
    output:
        page=f"{R}/explorer/index.html",
        receipt=f"{R}/explorer.receipt.json",
    log:
        f"{LOGS}/explorer.log",
    benchmark:
        f"{BENCHMARKS}/explorer.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=15,
    params:
        **proof("explorer"),
        configfile=place_of_config,
    shell:
        "whatmoves explorer --configfile {params.configfile:q} --expect {params.expect:q} &> {log:q}"
