# Analysis: from all results to the value index, with intervals, tests and the verdicts on declared hypotheses.
rule analyse:
    input:
        quality=[f"{R}/evaluate/{dataset}/{row}/quality.json" for dataset, row in ROWS],
        clips=[f"{R}/evaluate/{dataset}/{row}/clips.npz" for dataset, row in ROWS],
        judgements=[
            f"{R}/judge/{dataset}/{row}/{name}"
            for dataset in STUDY.judged_data()
            for row in judged_rows(STUDY, dataset)
            for name in ("judgement.json", "clips.npz")
        ],
        plans=[
            f"{R}/plan/{dataset}/{row}/{name}"
            for dataset, row in planned_rows(STUDY)
            for name in ("plan.json", "tasks.npz")
        ],
        exchanges=[
            f"{R}/exchange/{dataset}/{row}/{name}"
            for dataset in STUDY.judged_data()
            for row in exchanged_rows(STUDY, dataset)
            for name in ("exchange.json", "clips.npz")
        ],
        shifts=[
            f"{R}/shift/{dataset}/{row}/{name}"
            for dataset in STUDY.data
            for row in shifted_rows(STUDY, dataset)[:-1]
            for name in ("shift.json", "clips.npz")
        ],
        judges=[f"{R}/judges/{dataset}/quality.json" for dataset in STUDY.judged_data()],
        hypotheses=f"{TEMPLATES}/hypotheses.yaml",
    output:
        values=report(
            f"{R}/values.json",
            caption="../report/values.rst",
            category="Numbers",
            labels={"table": "all values and verdicts"},
        ),
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
        **proof("analyse"),
        configfile=place_of_config,
    shell:
        "whatmoves analyse --configfile {params.configfile:q} --hypotheses {input.hypotheses:q} --expect {params.expect:q} &> {log:q}"


# What the models cost, for people. Times differ from run to run: no receipt covers it, and nothing is made from it.
rule efficiency:
    input:
        quality=[f"{R}/evaluate/{dataset}/{model}/quality.json" for dataset, model in PAIRS],
        evaluations=[f"{R}/evaluate/{dataset}/{model}/timings.json" for dataset, model in PAIRS],
        trainings=[f"{R}/train/{dataset}/{model}/seed-{seed}/timings.json" for dataset, model, seed in RUNS],
    output:
        table=f"{R}/efficiency.md",
        numbers=report(
            f"{R}/efficiency.csv",
            caption="../report/efficiency.rst",
            category="Numbers",
            labels={"table": "what models cost"},
        ),
        reference=f"{R}/efficiency.json",
    log:
        f"{LOGS}/efficiency.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        configfile=place_of_config,
        code=combined(SOURCES.trace(["whatmoves.analysis.efficiency"]).modules),
        settings=depends("analyse", "settings_text"),
    shell:
        "whatmoves efficiency --configfile {params.configfile:q} &> {log:q}"
