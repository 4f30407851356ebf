# Notebooks, run on the results that are there and written as pages; made when they are asked for.
from whatmoves.using.notebook import modules_of

NOTEBOOK_FOLDER = os.path.relpath(ROOT / "notebooks")
NOTEBOOKS = sorted(path.stem for path in Path(NOTEBOOK_FOLDER).glob("*.ipynb"))


localrules:
    notebooks,


rule notebooks:
    input:
        [f"{R}/notebooks/{name}.html" for name in NOTEBOOKS],


rule notebook:
    input:
        notebook=f"{NOTEBOOK_FOLDER}/{{notebook}}.ipynb",
        values=f"{R}/values.json",
        checkpoints=checkpoints,
        data=[f"{R}/data/{dataset}/{name}" for dataset in STUDY.data for name in ("test.npz", "test.csv")],
    output:
        page=f"{R}/notebooks/{{notebook}}.html",
    log:
        f"{LOGS}/notebooks/{{notebook}}.log",
    benchmark:
        f"{BENCHMARKS}/notebooks/{{notebook}}.tsv"
    wildcard_constraints:
        notebook="|".join(NOTEBOOKS),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=lambda wildcards: combined(
            SOURCES.trace(modules_of(Path(f"{NOTEBOOK_FOLDER}/{wildcards.notebook}.ipynb"))).modules
        ),
        settings=depends("paper", "settings_text"),
        configfile=place_of_config,
    shell:
        "whatmoves notebook {input.notebook:q} --configfile {params.configfile:q} --out {output.page:q} &> {log:q}"
