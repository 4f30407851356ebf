# The paper: templates and values become main.tex, LaTeX makes the PDF, and the selected study's is copied to paper/.
rule paper:
    input:
        values=f"{R}/values.json",
        config=f"{R}/config.yaml",
        figures=[f"{R}/figures/{figure}.pdf" for figure in FIGURES],
        main=f"{TEMPLATES}/main.tex.j2",
        sources=PAPER_SOURCES,
    output:
        tex=f"{R}/paper/main.tex",
        pdf=f"{R}/paper/main.pdf",
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
        configfile=CONFIGFILE,
        code=code_of("paper"),
        settings=settings_of("paper"),
        environment=environment_of("paper"),
        expect=proof_of("paper"),
    shell:
        "whatmoves paper --configfile {params.configfile} --template {input.main} --expect {params.expect} &> {log}"


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
        "cp {input.pdf} {output.pdf} &> {log}"
