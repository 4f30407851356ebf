# What `snakemake --report report.zip` says beside figures, animations and tables: it is asked for only then.
report: "../report/study.rst"


def for_report():
    """The words of the report: what the study is, what it found, and what each figure shows."""
    from whatmoves.figures.catalogue import captions

    command = [sys.executable, "-m", "whatmoves", "summary", "--configfile", CONFIGFILE]
    found = subprocess.run(command, capture_output=True, text=True)
    return {
        "description": STUDY.description,
        "summary": found.stdout or found.stderr,
        "captions": captions(),
    }


if any(word.partition("=")[0] == "--report" for word in sys.argv):
    config["report"] = for_report()
