# Analysis: from all results to the value index, with intervals, tests and the verdicts on declared hypotheses.
rule analyse:
    input:
        quality=[f"{R}/evaluate/{dataset}/{row}/quality.json" for dataset, row in ROWS],
        clips=[f"{R}/evaluate/{dataset}/{row}/clips.npz" for dataset, row in ROWS],
        hypotheses=f"{TEMPLATES}/hypotheses.yaml",
    output:
        values=f"{R}/values.json",
        config=f"{R}/config.yaml",
        receipt=f"{R}/values.receipt.json",
    log:
        f"{LOGS}/analyse.log",
    benchmark:
        f"{BENCHMARKS}/analyse.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        configfile=CONFIGFILE,
        code=code_of("analyse"),
        settings=settings_of("analyse"),
        environment=environment_of("analyse"),
        expect=proof_of("analyse"),
    shell:
        "whatmoves analyse --configfile {params.configfile} --hypotheses {input.hypotheses} --expect {params.expect} &> {log}"
