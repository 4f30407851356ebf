# Figures and animations: each from the result files it shows, with the data it draws beside it.
TRAINED = [(dataset, model) for dataset, model in PAIRS if dataset == "moving_digits"]
PICTURES = [f"{R}/evaluate/{dataset}/{model}/pictures.npz" for dataset, model in TRAINED]
HISTORIES = [
    f"{R}/train/{dataset}/{model}/seed-{seed}/history.csv"
    for dataset, model, seed in RUNS
    if dataset == "moving_digits"
]
VALUES = [f"{R}/values.json"]
FIGURES = {
    "pipeline": [],
    "reconstructions": PICTURES,
    "samples": PICTURES,
    "interpolation": PICTURES,
    "swaps": PICTURES,
    "training_curves": HISTORIES,
    "quality": VALUES,
    "trade_off": VALUES,
}
if any(entry.kind == "what_where_vae" for entry in STUDY.models.values()):
    FIGURES["what_where"] = []
ANIMATIONS = ["reconstructions", "samples", "swaps"]


rule figure:
    input:
        sources=lambda wildcards: FIGURES[wildcards.figure],
    output:
        data=f"{R}/figures/{{figure}}.npz",
        pdf=f"{R}/figures/{{figure}}.pdf",
        png=f"{R}/figures/{{figure}}.png",
        receipt=f"{R}/figures/{{figure}}.receipt.json",
    log:
        f"{LOGS}/figures/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/figures/{{figure}}.tsv"
    wildcard_constraints:
        figure="|".join(FIGURES),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        configfile=place_of_config,
        code=depends("figure", "code_digest"),
        settings=depends("figure", "settings_text"),
        environment=depends("figure", "environment_text"),
        expect=depends("figure", "digest"),
    shell:
        "whatmoves figures --configfile {params.configfile} --figure {wildcards.figure} --inputs {input.sources} --expect {params.expect} &> {log}"


rule animation:
    input:
        sources=PICTURES,
    output:
        data=f"{R}/animations/{{animation}}.npz",
        gif=f"{R}/animations/{{animation}}.gif",
        mp4=f"{R}/animations/{{animation}}.mp4",
        receipt=f"{R}/animations/{{animation}}.receipt.json",
    log:
        f"{LOGS}/animations/{{animation}}.log",
    benchmark:
        f"{BENCHMARKS}/animations/{{animation}}.tsv"
    wildcard_constraints:
        animation="|".join(ANIMATIONS),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        configfile=place_of_config,
        code=depends("animation", "code_digest"),
        settings=depends("animation", "settings_text"),
        environment=depends("animation", "environment_text"),
        expect=depends("animation", "digest"),
    shell:
        "whatmoves figures --configfile {params.configfile} --animation {wildcards.animation} --inputs {input.sources} --expect {params.expect} &> {log}"


animations = expand(f"{R}/animations/{{animation}}.{{suffix}}", animation=ANIMATIONS, suffix=["gif", "mp4"])
