# Figures and animations: each from the result files it shows, with the data it draws beside it.
from whatmoves.figures.catalogue import animations_of, figures_of

FIGURES = {name: [f"{R}/{file}" for file in files] for name, files in figures_of(STUDY).items()}
ANIMATIONS = {name: [f"{R}/{file}" for file in files] for name, files in animations_of(STUDY).items()}


rule figure:
    input:
        sources=lambda wildcards: FIGURES[wildcards.figure],
    output:
        data=f"{R}/figures/{{figure}}.npz",
        pdf=f"{R}/figures/{{figure}}.pdf",
        png=report(
            f"{R}/figures/{{figure}}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
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
        **proof("figure"),
        configfile=place_of_config,
    shell:
        "whatmoves figures --configfile {params.configfile:q} --figure {wildcards.figure:q} --inputs {input.sources:q} --expect {params.expect:q} &> {log:q}"


rule animation:
    input:
        sources=lambda wildcards: ANIMATIONS[wildcards.animation],
    output:
        data=f"{R}/animations/{{animation}}.npz",
        gif=report(
            f"{R}/animations/{{animation}}.gif",
            caption="../report/figure.rst",
            category="Animations",
            labels={"animation": "{animation}"},
        ),
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
        **proof("animation"),
        configfile=place_of_config,
    shell:
        "whatmoves figures --configfile {params.configfile:q} --animation {wildcards.animation:q} --inputs {input.sources:q} --expect {params.expect:q} &> {log:q}"


animations = expand(f"{R}/animations/{{animation}}.{{suffix}}", animation=ANIMATIONS, suffix=["gif", "mp4"])
