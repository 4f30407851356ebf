"""A study's archive in words that other tools read: a Provenance Run Crate (https://w3id.org/ro/wfrun/provenance/0.5).

The main entity is the workflow, the Snakefile. Each kind of job is one of its steps, done by a tool (a command of
ours); each job is a `CreateAction` of that tool, with what it read (`object`) and made (`result`) as its receipt has
it. Snakemake's own part is an `OrganizeAction` over one `ControlAction` a job. Files that were left out of the archive
stand as names with their checksums, so that the chain from a figure back to its clips has no gap.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rocrate.rocrate import ROCrate

from whatmoves.files import sha256
from whatmoves.provenance.environment import installed
from whatmoves.provenance.kinds import KINDS
from whatmoves.provenance.receipts import is_receipt, read_receipt
from whatmoves.study import Study

VERSION = "1.1"  # of RO-Crate, which version 0.5 of the profiles below builds upon
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
TERMS = "https://w3id.org/ro/terms/workflow-run/context"  # has the word sha256, which RO-Crate 1.1 lacks
LICENCE = "https://spdx.org/licenses/MIT"
LANGUAGE, ENGINE, RUN = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake", "#snakemake", "#run"
MOST_OUTSIDE = 20  # files from outside the results that a job names one by one, such as a recording's pictures
FORMATS = {
    "csv": "text/csv",
    "gif": "image/gif",
    "json": "application/json",
    "mp4": "video/mp4",
    "npz": "application/zip",
    "pdf": "application/pdf",
    "png": "image/png",
    "pt": "application/zip",
    "yaml": "application/yaml",
}  # of other files: plain text
COMMANDS = {
    "judges": "judge",
    "judge_floors": "judge",
    "exchange_floors": "exchange",
    "shift_sets": "shift",
    "floor": "evaluate",
    "plan_floors": "plan",
    "figure": "figures",
    "animation": "figures",
}


def describe(study: Study, files: Mapping[str, Path], workflow: Mapping[str, Path], left_out: Mapping[str, Any]) -> Any:
    """The metadata of an archive as JSON; its dates are those of receipts, so equal results give equal bytes.

    `files` are the packed results and `workflow` the workflow's own, the Snakefile first, both by their place in the
    archive; `left_out` are the checksums of results that are not packed.
    """
    crate = ROCrate(version=VERSION)
    crate.metadata.extra_contexts.append(TERMS)
    receipts = {key: read_receipt(path) for key, path in files.items() if is_receipt(Path(key))}
    begun = min(receipt["run"]["started"] for receipt in receipts.values())
    ended = max(receipt["run"]["ended"] for receipt in receipts.values())
    crate.name = f"What Moves: results of study {study.study}"
    crate.description = study.description or f"Values, figures and receipts of the study {study.study}."
    crate.license = crate.add_jsonld({"@id": LICENCE, "@type": "CreativeWork", "name": "MIT License"})
    crate.datePublished = ended
    authors = [{"@id": f"#author-{place}"} for place in range(1, 1 + len(study.paper.authors))]
    for author, name in zip(authors, study.paper.authors, strict=True):
        crate.add_jsonld({**author, "@type": "Person", "name": name})
    for key, path in files.items():
        crate.add_file(path, key, properties=_measured(path))

    jobs = [_Job(key, receipt) for key, receipt in receipts.items()]
    kinds = [kind for kind in KINDS if any(job.kind == kind for job in jobs)]
    for entity in [
        *_profiles(),
        _language(),
        _engine(),
        *map(_tool, kinds),
        *map(_step, kinds, range(1, 1 + len(kinds))),
    ]:
        crate.add_jsonld(entity)
    for key in left_out:
        crate.add_jsonld({"@id": _name(key, files), "@type": "CreativeWork", "name": key, **_sum(left_out[key])})
    known = {*files, *left_out}
    for job in jobs:
        for entity in job.entities(files, known, authors):
            crate.add_jsonld(entity)
    main, *rest = workflow
    for key in rest:
        crate.add_file(
            workflow[key], key, properties={**_measured(workflow[key]), "encodingFormat": "text/x-snakemake"}
        )
    crate.mainEntity = crate.add_file(
        workflow[main],
        main,
        properties={
            **_measured(workflow[main]),
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            "name": "What Moves: from digits to the paper",
            "version": installed(["whatmoves"]).get("whatmoves", ""),
            "programmingLanguage": {"@id": LANGUAGE},
            "hasPart": [{"@id": f"#tool-{kind}"} for kind in kinds],
            "step": [{"@id": f"#step-{kind}"} for kind in kinds],
        },
    )
    crate.add_jsonld(
        {
            "@id": RUN,
            "@type": "CreateAction",
            "name": f"Run of the study {study.study}",
            "description": f"All {len(jobs)} jobs of the study, in the order that the Snakefile gives them",
            "agent": _one_or_all(authors),
            "instrument": {"@id": main},
            "result": [{"@id": key} for key in files if key == "values.json" or key.startswith("figures/")],
            "startTime": begun,
            "endTime": ended,
        }
    )
    crate.add_jsonld(
        {
            "@id": "#organize",
            "@type": "OrganizeAction",
            "name": "Run of Snakemake",
            "instrument": {"@id": ENGINE},
            "object": [{"@id": job.control} for job in jobs],
            "result": {"@id": RUN},
            "startTime": begun,
            "endTime": ended,
        }
    )
    described = crate.metadata.generate()
    root = next(entity for entity in described["@graph"] if entity["@id"] == "./")
    root["conformsTo"] = [{"@id": profile} for profile in PROFILES]
    root["mentions"] = [{"@id": RUN}, *({"@id": job.action} for job in jobs)]
    root["author"] = root["creator"] = _one_or_all(authors)
    descriptor = next(entity for entity in described["@graph"] if entity["@id"] == crate.metadata.id)
    descriptor["conformsTo"] = [descriptor["conformsTo"], {"@id": list(PROFILES)[-1]}]
    return described


class _Job:
    """One job of the workflow, as its receipt has it."""

    def __init__(self, key: str, receipt: Mapping[str, Any]) -> None:
        self.key, self.core, self.run = key, receipt["core"], receipt["run"]
        self.kind: str = receipt["core"]["kind"]
        self.name = key.removesuffix("/receipt.json").removesuffix(".receipt.json")
        self.action, self.control = f"#job/{self.name}", f"#control/{self.name}"

    def entities(
        self, files: Mapping[str, Path], known: set[str], authors: list[dict[str, str]]
    ) -> list[dict[str, Any]]:
        """The action, its control, and names of what it read from outside; `known` are keys that have an entity."""
        read = [key for key in self.core["inputs"] if key in known]
        outside = [key for key in self.core["inputs"] if key not in known]
        named: list[dict[str, Any]] = [
            {"@id": _name(key, files), "@type": "CreativeWork", "name": key, **_sum(self.core["inputs"][key])}
            for key in outside
        ]
        if len(outside) > MOST_OUTSIDE:
            said = f"{len(outside)} files, listed in {self.key}"
            named = [{"@id": f"#inputs/{self.name}", "@type": "CreativeWork", "name": said}]
        known.update(outside if len(outside) <= MOST_OUTSIDE else ())
        made = [key for key in self.core["outputs"] if key in known]
        objects = [*({"@id": _name(key, files)} for key in read), *({"@id": entity["@id"]} for entity in named)]
        action = {
            "@id": self.action,
            "@type": "CreateAction",
            "name": self.name,
            "description": self.run["command"],
            "agent": _one_or_all(authors),
            "instrument": {"@id": f"#tool-{self.kind}"},
            **({"object": _one_or_all(objects)} if objects else {}),
            "result": _one_or_all([{"@id": _name(key, files)} for key in [*made, self.key]]),
            "startTime": self.run["started"],
            "endTime": self.run["ended"],
        }
        control = {
            "@id": self.control,
            "@type": "ControlAction",
            "name": f"Snakemake orders {self.name}",
            "instrument": {"@id": f"#step-{self.kind}"},
            "object": {"@id": self.action},
        }
        return [*named, action, control]


def _profiles() -> list[dict[str, Any]]:
    return [
        {"@id": address, "@type": "CreativeWork", "name": name, "version": version}
        for address, (name, version) in PROFILES.items()
    ]


def _language() -> dict[str, Any]:
    name = {"name": "Snakemake", "url": "https://snakemake.github.io", "identifier": "https://snakemake.github.io"}
    return {"@id": LANGUAGE, "@type": "ComputerLanguage", **name}


def _engine() -> dict[str, Any]:
    version = installed(["snakemake"]).get("snakemake", "")
    return {"@id": ENGINE, "@type": "SoftwareApplication", "name": f"Snakemake {version}", "softwareVersion": version}


def _tool(kind: str) -> dict[str, Any]:
    version = installed(["whatmoves"]).get("whatmoves", "")
    name = f"whatmoves {COMMANDS.get(kind, kind)}"
    return {"@id": f"#tool-{kind}", "@type": "SoftwareApplication", "name": name, "softwareVersion": version}


def _step(kind: str, position: int) -> dict[str, Any]:
    tool = {"@id": f"#tool-{kind}"}
    return {"@id": f"#step-{kind}", "@type": "HowToStep", "name": kind, "position": str(position), "workExample": tool}


def _measured(path: Path) -> dict[str, Any]:
    written = {"encodingFormat": FORMATS.get(path.suffix[1:], "text/plain")}
    return {"sha256": sha256(path), "contentSize": str(path.stat().st_size), **written}


def _one_or_all(entities: list[dict[str, Any]]) -> Any:
    """As RO-Crate wants it: a list only of several."""
    return entities[0] if len(entities) == 1 else entities


def _sum(recorded: Mapping[str, Any]) -> dict[str, str]:
    """A file's checksum as a receipt has it; a folder and a receipt's core have sums that are no file's."""
    return {"sha256": recorded["sha256"]} if "sha256" in recorded else {}


def _name(key: str, files: Mapping[str, Path]) -> str:
    """The id of a file: its place in the archive, or that of its name where it is not packed."""
    return key if key in files else f"#file/{quote(key)}"
