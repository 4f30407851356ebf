# The paper: proof that its results belong to this tree, then templates and values become main.tex, LaTeX makes the PDF,
# and the selected study's is copied to paper/.
rule verify:
    input:
        values=f"{R}/values.json",
        receipts=RECEIPTS,
        figures=[f"{R}/figures/{figure}.receipt.json" for figure in FIGURES],
    output:
        report=f"{R}/verify.json",
    log:
        f"{LOGS}/verify.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        configfile=place_of_config,
        settings=depends("paper", "settings_text"),
    shell:
        "whatmoves verify --configfile {params.configfile:q} --before-paper --out {output.report:q} &> {log:q}"


rule paper:
    input:
        values=f"{R}/values.json",
        proof=f"{R}/verify.json",
        figures=[f"{R}/figures/{figure}.pdf" for figure in FIGURES],
        main=f"{TEMPLATES}/main.tex.j2",
        sources=PAPER_SOURCES,
        search=SEARCH,
    output:
        tex=f"{R}/paper/main.tex",
        pdf=report(
            f"{R}/paper/main.pdf",
            caption="../report/paper.rst",
            category="Paper",
            labels={"paper": STUDY.study},
        ),
        config=f"{R}/config.yaml",
        receipt=f"{R}/paper/receipt.json",
    log:
        f"{LOGS}/paper.log",
    benchmark:
        f"{BENCHMARKS}/paper.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        **proof("paper"),
        configfile=place_of_config,
    shell:
        "whatmoves paper --configfile {params.configfile:q} --template {input.main:q} --expect {params.expect:q} &> {log:q}"


rule copy_paper:
    input:
        pdf=f"{R}/paper/main.pdf",
    output:
        pdf="paper/main.pdf",
    log:
        f"{LOGS}/copy_paper.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        study=STUDY.study,
    shell:
        "cp {input.pdf:q} {output.pdf:q} &> {log:q}"
