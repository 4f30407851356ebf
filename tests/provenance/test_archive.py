import io
import json
import re
import shutil
import tarfile
from pathlib import Path

import pytest
from toy_project import Project

from whatmoves.errors import DataError, ProofError
from whatmoves.files import read_json, write_json
from whatmoves.provenance.archive import archive, restore
from whatmoves.provenance.receipts import is_receipt, recording
from whatmoves.provenance.verify import verify


@pytest.fixture
def packed(built: Project) -> Path:
    out = built.folder / "small.tar.gz"
    archive(built.study, built.root, out, source=built.source)
    return out


def names(file: Path) -> list[str]:
    with tarfile.open(file) as tar:
        return tar.getnames()


def clear(project: Project) -> None:
    shutil.rmtree(project.root)


def contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_an_archive_holds_values_figures_receipts_settings_and_timings(packed: Path):
    found = names(packed)
    assert found == sorted(found)
    assert {
        "values.json", "values.receipt.json", "config.yaml", "manifest.json", "ro-crate-metadata.json",
        "figures/swaps.pdf", "figures/swaps.receipt.json", "evaluate/toy/alpha/quality.json",
        "train/toy/alpha/seed-0/receipt.json", "train/toy/alpha/seed-0/timings.json",
    } <= set(found)  # fmt: skip
    assert not [name for name in found if name.endswith((".pt", ".npz")) or name.startswith("paper/")]


def test_checkpoints_are_packed_on_request(built: Project):
    archive(built.study, built.root, built.folder / "all.tar.gz", checkpoints=True, source=built.source)
    assert sum(name.endswith("checkpoint.pt") for name in names(built.folder / "all.tar.gz")) == 6


def test_equal_results_give_equal_bytes(built: Project, packed: Path):
    again = built.folder / "again.tar.gz"
    for path in built.root.rglob("*"):
        path.touch()
    archive(built.study, built.root, again, source=built.source)
    assert again.read_bytes() == packed.read_bytes()


def described(file: Path) -> dict[str, dict]:
    """The entities of an archive's crate by id."""
    with tarfile.open(file) as tar:
        graph = json.load(tar.extractfile("ro-crate-metadata.json"))["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    assert len(entities) == len(graph)
    return entities


def ids(value: object) -> set[str]:
    """The ids that a property refers to, one or several."""
    return {entity["@id"] for entity in (value if isinstance(value, list) else [value])}


def test_the_description_lists_every_file_and_refers_to_nothing_else(packed: Path):
    crate = described(packed)
    listed = {name for name, entity in crate.items() if "File" in entity["@type"]}
    assert listed | {"config.yaml", "manifest.json", "ro-crate-metadata.json"} == set(names(packed))
    outside = ("https://w3id.org/ro/crate/1.1",)
    for entity in crate.values():
        for value in entity.values():
            if isinstance(value, dict | list) and value and not isinstance(value, str) and "@type" in entity:
                refers = [
                    part["@id"] for part in (value if isinstance(value, list) else [value]) if isinstance(part, dict)
                ]
                assert not [name for name in refers if name not in crate and name not in outside]


def test_the_description_is_a_provenance_run_crate(packed: Path):
    crate = described(packed)
    root = crate["./"]
    assert ids(root["conformsTo"]) == {
        "https://w3id.org/ro/wfrun/process/0.5",
        "https://w3id.org/ro/wfrun/workflow/0.5",
        "https://w3id.org/ro/wfrun/provenance/0.5",
        "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
    }
    workflow = crate[root["mainEntity"]["@id"]]
    assert workflow["@type"] == ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
    assert crate[workflow["programmingLanguage"]["@id"]]["name"] == "Snakemake"
    [organize] = [entity for entity in crate.values() if entity["@type"] == "OrganizeAction"]
    assert crate[organize["instrument"]["@id"]]["name"].startswith("Snakemake")
    assert crate[organize["result"]["@id"]]["instrument"] == {"@id": "Snakefile"}
    controls = ids(organize["object"])
    assert len(controls) == 13  # a job each: all but the paper, which is not packed
    assert {crate[name]["instrument"]["@id"] for name in controls} == ids(workflow["step"])
    tools = {crate[crate[name]["object"]["@id"]]["instrument"]["@id"] for name in controls}
    assert tools == ids(workflow["hasPart"]) == {crate[step]["workExample"]["@id"] for step in ids(workflow["step"])}


def test_the_chain_from_a_figure_to_the_clips_has_no_gap(packed: Path):
    crate = described(packed)
    maker = {made: entity for entity in crate.values() if "/" in entity["@id"] and entity["@type"] == "CreateAction"
             for made in ids(entity["result"])}  # fmt: skip
    read, waiting = set(), ["figures/rollout.pdf"]
    while waiting:
        for name in ids(maker.get(waiting.pop(), {}).get("object", [])) - read:
            read.add(name)
            waiting.append(name)
    assert {"values.json", "evaluate/toy/alpha/quality.json", "#file/train/toy/alpha/seed-1/checkpoint.pt"} <= read
    assert crate["#file/data/toy/test.npz"]["sha256"]
    assert "#file/data/toy/test.npz" in read


def test_many_files_from_outside_are_one_name(built: Project, monkeypatch: pytest.MonkeyPatch):
    logs = [built.folder / f"logs/{number}.csv" for number in range(3)]
    for log in logs:
        log.parent.mkdir(exist_ok=True)
        log.write_text("t")
    data = built.root / "data/toy/test.npz"
    content = data.read_bytes()
    with recording(
        "data", built.study, {"dataset": "toy"}, inputs=logs, outputs=[data],
        receipt=data.with_name("receipt.json"), root=built.root, source=built.source,
    ):  # fmt: skip
        data.write_bytes(content)
    out = built.folder / "a.tar.gz"
    archive(built.study, built.root, out, source=built.source)
    assert ids(described(out)["#job/data/toy"]["object"]) == {f"#file/../../logs/{number}.csv" for number in range(3)}
    monkeypatch.setattr("whatmoves.provenance.crate.MOST_OUTSIDE", 2)
    archive(built.study, built.root, out, source=built.source)
    assert ids(described(out)["#job/data/toy"]["object"]) == {"#inputs/data/toy"}
    assert described(out)["#inputs/data/toy"]["name"] == "3 files, listed in data/toy/receipt.json"


def test_the_real_validator_accepts_the_description(packed: Path, tmp_path: Path):
    services = pytest.importorskip(
        "rocrate_validator.services"
    )  # pip install roc-validator; it asks w3id.org for words
    models = pytest.importorskip("rocrate_validator.models")
    with tarfile.open(packed) as tar:
        tar.extractall(tmp_path / "crate", filter="data")
    settings = services.ValidationSettings(
        rocrate_uri=str(tmp_path / "crate"),
        profile_identifier="provenance-run-crate",
        requirement_severity=models.Severity.REQUIRED,
    )
    assert [issue.message for issue in services.validate(settings).get_issues()] == []


def test_an_archive_is_packed_from_a_checkout(built: Project):
    (built.folder / "Snakefile").unlink()
    with pytest.raises(DataError, match=r"Snakefile: no such file; an archive says what ran, so pack from a checkout"):
        archive(built.study, built.root, built.folder / "no.tar.gz", source=built.source)


def test_a_folder_that_is_a_result_is_left_out_and_may_stand_where_the_archive_is_laid(built: Project):
    sample = built.root / "data/toy/sample"
    (sample / "frames").mkdir(parents=True)
    (sample / "frames/1.png").write_bytes(b"one")
    data = built.root / "data/toy/test.npz"
    content = data.read_bytes()
    with recording(
        "data", built.study, {"dataset": "toy"}, inputs=[], outputs=[data, sample],
        receipt=data.with_name("receipt.json"), root=built.root, source=built.source,
    ):  # fmt: skip
        data.write_bytes(content)
    out = built.folder / "small.tar.gz"
    archive(built.study, built.root, out, source=built.source)
    assert not [name for name in names(out) if "sample" in name]
    restore(out, built.root, built.study, source=built.source)  # beside the results themselves
    (sample / "frames/1.png").write_bytes(b"two")
    with pytest.raises(
        ProofError, match=r"already holds results that are not the archive's \(data/toy/sample/frames/1"
    ):
        restore(out, built.root, built.study, source=built.source)
    clear(built)
    assert restore(out, built.root, built.study, source=built.source).exit_code == 0


def test_stale_results_are_not_packed(built: Project):
    built.edit("figures/swaps", "WIDTH = 9")
    with pytest.raises(
        ProofError, match=r"not packed: figures/swaps is stale: module whatmoves\.figures\.swaps changed"
    ):
        archive(built.study, built.root, built.folder / "no.tar.gz", source=built.source)
    assert not (built.folder / "no.tar.gz").exists()


def test_an_archive_that_fits_is_laid_and_verifies_like_the_original(built: Project, packed: Path):
    before, report = contents(built.root), verify(built.study, built.root, source=built.source, paper=False).as_json()
    clear(built)
    restore(packed, built.root, built.study, source=built.source)
    after = contents(built.root)
    assert {name: after[name] for name in after if name in before} == {
        name: before[name] for name in after if name in before
    }
    assert set(names(packed)) - {"Snakefile"} | {"restored.json"} == set(after)  # the tree has its own workflow
    again = verify(built.study, built.root, source=built.source, paper=False)
    assert again.as_json() == report
    assert "restored from an archive that left out 10 files" in again.text()
    assert re.search(r"^left out  \d checkpoints, whose receipts alone stand here: train/toy/alpha", again.text(), re.M)
    assert [p for p in built.root.parent.iterdir() if p != built.root] == []


def test_restoring_twice_is_restoring_once(built: Project, packed: Path):
    clear(built)
    restore(packed, built.root, built.study, source=built.source)
    once = contents(built.root)
    restore(packed, built.root, built.study, source=built.source)
    assert contents(built.root) == once


def test_an_archive_of_restored_results_is_the_same_archive(built: Project, packed: Path):
    clear(built)
    restore(packed, built.root, built.study, source=built.source)
    archive(built.study, built.root, built.folder / "again.tar.gz", source=built.source)
    assert (built.folder / "again.tar.gz").read_bytes() == packed.read_bytes()


def test_restored_files_are_of_one_age(built: Project, packed: Path):
    clear(built)
    restore(packed, built.root, built.study, source=built.source)
    assert len({p.stat().st_mtime_ns for p in built.root.rglob("*") if p.is_file()}) == 1


def test_an_archive_of_another_tree_is_refused_and_nothing_is_laid(built: Project, packed: Path):
    clear(built)
    built.edit("models/alpha", "X = 1")
    with pytest.raises(
        ProofError, match=r"does not belong to this tree: train/toy/alpha/seed-0 is stale: module whatmoves"
    ):
        restore(packed, built.root, built.study, source=built.source)
    assert list(built.root.parent.iterdir()) == []


def test_a_refused_archive_names_the_commit_it_belongs_to(built: Project):
    receipts = [path for path in built.root.rglob("*.json") if is_receipt(path)]
    for path in receipts:
        receipt = read_json(path)
        receipt["run"]["git"] = {"commit": "0" * 40 if path is receipts[0] else "1" * 40, "dirty": False}
        receipt["run"]["started"] = f"2026-01-0{1 + (path is receipts[0])}T00:00:00+00:00"
        write_json(path, receipt)
    file = built.folder / "small.tar.gz"
    archive(built.study, built.root, file, source=built.source)
    clear(built)
    built.edit("models/alpha", "X = 1")
    with pytest.raises(ProofError, match=r"tree but to that of `git checkout 0{40}`: train/toy/alpha"):
        restore(file, built.root, built.study, source=built.source)


def test_an_archive_of_other_settings_is_refused(built: Project, packed: Path):
    clear(built)
    with pytest.raises(ProofError, match=r"settings key training\.clips changed from 200000 to 7"):
        restore(packed, built.root, built.with_settings(training={"clips": 7}), source=built.source)
    with pytest.raises(ProofError, match="holds study 'small', not 'other'"):
        restore(packed, built.root, built.with_settings(study="other"), source=built.source)


@pytest.mark.parametrize("name", ["values.json", "train/toy/alpha/seed-0/checkpoint.pt", "figures/extra.pdf"])
def test_restored_and_computed_results_are_never_mixed(built: Project, packed: Path, name: str):
    clear(built)
    path = built.root / name
    path.parent.mkdir(parents=True)
    path.write_text("computed here")
    with pytest.raises(ProofError, match=f"already holds results that are not the archive's \\({name}\\); move that"):
        restore(packed, built.root, built.study, source=built.source)
    assert contents(built.root) == {name: b"computed here"}


def test_identical_results_that_the_archive_left_out_may_stand(built: Project, packed: Path):
    shutil.rmtree(built.root / "figures")
    shutil.rmtree(built.root / "paper")
    restore(packed, built.root, built.study, source=built.source)
    assert verify(built.study, built.root, source=built.source, paper=False).exit_code == 0


def rewritten(file: Path, out: Path, change: dict[str, bytes], extra: list[tarfile.TarInfo] | None = None) -> Path:
    """A copy of an archive with some contents exchanged and members added."""
    with tarfile.open(file) as old, tarfile.open(out, "w:gz") as new:
        for member in old:
            content = change.get(member.name, old.extractfile(member).read())
            member.size = len(content)
            new.addfile(member, io.BytesIO(content))
        for member in extra or []:
            new.addfile(member, io.BytesIO(b"x" * member.size))
    return out


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, 1 if kind == tarfile.REGTYPE else 0
    return info


@pytest.mark.parametrize(
    "evil",
    [
        member("../escaped"),
        member("/tmp/escaped"),
        member("figures/../../escaped"),
        member("link", tarfile.SYMTYPE, "/etc"),
        member("hard", tarfile.LNKTYPE, "values.json"),
        member("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda m: m.name,
)
def test_no_path_leaves_the_archive(built: Project, packed: Path, evil: tarfile.TarInfo):
    clear(built)
    file = rewritten(packed, built.folder / "evil.tar.gz", {}, [evil])
    with pytest.raises(DataError, match="is no plain file inside the archive"):
        restore(file, built.root, built.study, source=built.source)
    assert list(built.root.parent.iterdir()) == []
    assert not list(built.folder.rglob("escaped"))


def test_a_tampered_number_is_refused_even_with_a_mended_manifest(built: Project, packed: Path):
    from hashlib import sha256

    with tarfile.open(packed) as tar:
        values = tar.extractfile("values.json").read().replace(b"23.4142", b"29.4142")
        manifest = json.load(tar.extractfile("manifest.json"))
    clear(built)
    file = rewritten(packed, built.folder / "a.tar.gz", {"values.json": values})
    with pytest.raises(DataError, match=r"values\.json is damaged"):
        restore(file, built.root, built.study, source=built.source)
    manifest["files"]["values.json"]["sha256"] = sha256(values).hexdigest()
    change = {"values.json": values, "manifest.json": json.dumps(manifest).encode()}
    file = rewritten(packed, built.folder / "b.tar.gz", change)
    with pytest.raises(ProofError, match=r"values is not ours: file values\.json is not what the job wrote"):
        restore(file, built.root, built.study, source=built.source)


def test_a_file_the_manifest_does_not_list_is_refused(built: Project, packed: Path):
    clear(built)
    file = rewritten(packed, built.folder / "more.tar.gz", {}, [member("figures/more.pdf")])
    with pytest.raises(DataError, match=r"figures/more\.pdf is not in its manifest"):
        restore(file, built.root, built.study, source=built.source)


@pytest.mark.parametrize("limit", ["MAX_FILES", "MAX_BYTES"])
def test_an_archive_that_is_too_large_is_refused(
    built: Project, packed: Path, monkeypatch: pytest.MonkeyPatch, limit: str
):
    clear(built)
    monkeypatch.setattr(f"whatmoves.provenance.archive.{limit}", 3)
    with pytest.raises(DataError, match="not unpacked"):
        restore(packed, built.root, built.study, source=built.source)


@pytest.mark.parametrize("size", [0, 10, 500])
def test_a_damaged_archive_is_one_line(built: Project, packed: Path, size: int):
    packed.write_bytes(packed.read_bytes()[:size])
    clear(built)
    with pytest.raises(DataError, match=r"small\.tar\.gz: not readable as an archive"):
        restore(packed, built.root, built.study, source=built.source)


@pytest.mark.parametrize("manifest", [b"[]", b"{}", b'{"format": 1, "study": "small", "files": []}'])
def test_a_foreign_tar_is_one_line(built: Project, packed: Path, manifest: bytes):
    clear(built)
    file = rewritten(packed, built.folder / "foreign.tar.gz", {"manifest.json": manifest})
    with pytest.raises(DataError, match=r"not an archive of results of this version \(format 1\)"):
        restore(file, built.root, built.study, source=built.source)


def test_a_missing_archive_is_one_line(project: Project):
    with pytest.raises(DataError, match=r"none\.tar\.gz: no such archive"):
        restore(project.folder / "none.tar.gz", project.root, project.study, source=project.source)
