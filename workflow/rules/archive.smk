# Packing: `snakemake archive` for results that `whatmoves restore` lays back, `snakemake arxiv` for the paper's source.
rule archive:
    input:
        f"results/{STUDY.study}.tar.gz",


rule pack:
    input:
        pdf=f"{R}/paper/main.pdf",
        receipt=f"{R}/paper/receipt.json",
        animations=animations,
    output:
        archive=f"results/{STUDY.study}.tar.gz",
    log:
        f"{LOGS}/pack.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        configfile=place_of_config,
    shell:
        "whatmoves archive --configfile {params.configfile:q} --out {output.archive:q} &> {log:q}"


rule arxiv:
    input:
        f"results/{STUDY.study}-arxiv.tar.gz",


rule pack_source:
    input:
        tex=f"{R}/paper/main.tex",
        pdf=f"{R}/paper/main.pdf",
    output:
        archive=f"results/{STUDY.study}-arxiv.tar.gz",
    log:
        f"{LOGS}/pack_source.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    shell:
        '(tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --exclude=main.pdf --exclude=receipt.json -C "$(dirname {input.tex:q})" -cf - . | gzip -9n > {output.archive:q}) 2> {log:q}'
