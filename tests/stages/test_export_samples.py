"""Exports as jobs: approved samples and their card, what is left out, widening, a second export into the same folder."""

import json

import pytest
import yaml

from curation.jobs.manager import JobManager
from curation.review import decisions
from curation.stage import NothingToDo
from curation.stages import stage_class
from data.registry import EXPORTS
from tests.support.seed import seeded_store

PATIENCE = 240  # seconds for a job on a busy machine


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    store, images, workspace = seeded_store(tmp_path_factory.mktemp("export") / "w", failures=60, samples=80)
    yield store, images, workspace, JobManager(store, workspace, stage_class)
    store.close()


def exported(seeded, ends="done", **options):
    store, _, _, jobs = seeded
    job_id = jobs.launch("export", options, "ada")
    job = jobs.wait(job_id, PATIENCE)
    assert job.status == ends, job.message
    return job, store.rows("row_errors", job_id=job_id, after="", limit=100)


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def approved(seeded):
    return {row["sample_id"] for row in seeded[0].rows("samples_to_export", statuses=["approved", "auto_approved"])}


def test_approved_samples_alone_with_where_they_come_from(seeded, tmp_path):
    job, errors = exported(seeded, format="jsonl", folder=str(tmp_path / "out"))
    rows = lines(tmp_path / "out" / "samples.jsonl")
    assert {row["sample_id"] for row in rows} == approved(seeded) and len(rows) > 10
    assert job.done == job.total == len(rows) and errors == []
    assert f"{len(rows)} samples written to {tmp_path}/out/samples.jsonl" in job.message
    assert any(row["cluster"] for row in rows) and any(row["filters"] for row in rows) and any(row["reviewer"] for row in rows)
    assert all(row["licence"].endswith("(Apache-2.0)") for row in rows)
    verdicts = [verdict for row in rows for verdict in row["filters"] if verdict["score"] is not None]
    for one in verdicts:
        above = one["score"] >= one["threshold"]
        assert one["passed"] == (above if one["comparison"] == "at_least" else one["score"] <= one["threshold"])


def test_the_card_counts_what_was_written(seeded, tmp_path):
    exported(seeded, format="parquet", folder=str(tmp_path))
    front, text = (tmp_path / "README.md").read_text(encoding="utf-8").split("---\n", 2)[1:]
    head = yaml.safe_load(front)
    assert head["configs"] == [{"config_name": "default", "data_files": "train-*.parquet"}] and head["size_categories"] == ["n<1K"]
    table = [line for line in text.split("## Samples by error type and route")[1].split("\n\n")[1].splitlines()[2:] if line]
    assert sum(int(line.rstrip(" |").rpartition("|")[2]) for line in table) == len(approved(seeded))
    for title in ("Sources and licences", "Models", "Prompts", "Filters", "Reviewers", "Cost"):
        assert f"## {title}" in text
    assert "Apache-2.0" in text and "In force: judge at least 3.0" in text


def test_the_folder_is_made_equal_to_the_list(seeded, tmp_path):
    """A rejected sample goes from the list, its picture from the folder unless another needs it; foreign files stay."""
    store = seeded[0]
    (tmp_path / "mine.txt").write_text("mine")
    exported(seeded, format="imagefolder", folder=str(tmp_path))
    before = lines(tmp_path / "metadata.jsonl")
    gone = before[0]
    decisions.decide(store, decisions.Decision(gone["sample_id"], gone["revision"], "reject", decisions.new_event(), "other"), "ada")
    job, _ = exported(seeded, format="imagefolder", folder=str(tmp_path))
    after = lines(tmp_path / "metadata.jsonl")
    assert [row["sample_id"] for row in after] == [row["sample_id"] for row in before[1:]]
    assert {file.name for file in (tmp_path / "images").iterdir()} == {row["file_name"].removeprefix("images/") for row in after}
    assert "1 file of an earlier export removed; 1 file that no export wrote left alone" in job.message
    exported(seeded, format="llava", folder=str(tmp_path))  # another format: the earlier one's files go
    assert {file.name for file in tmp_path.iterdir() if not file.name.startswith(".")} == {"mine.txt", "README.md", "images", "llava.json"}
    refused, _ = exported(seeded, "failed", format="llava", folder=str(tmp_path / "mine.txt"))
    assert "is a file; name a folder" in refused.message


def test_other_statuses_on_request(seeded, tmp_path):
    exported(seeded, format="jsonl", folder=str(tmp_path), status=["pending", "approved"])
    statuses = {row["status"] for row in lines(tmp_path / "samples.jsonl")}
    assert statuses == {"pending", "approved"}


def test_a_picture_that_is_gone_or_changed_is_told_with_its_sample_and_the_rest_goes_on(seeded, tmp_path):
    images = seeded[1]
    rows = seeded[0].rows("samples_to_export", statuses=["approved"])
    shared = {image: [row["sample_id"] for row in rows if row["image"] == image] for image in {row["image"] for row in rows}}
    gone, changed = sorted(shared, key=lambda image: len(shared[image]))[:2]
    kept = {image: images.path(image).read_bytes() for image in (gone, changed)}
    paths = {image: images.path(image) for image in (gone, changed)}
    paths[gone].unlink()
    paths[changed].write_bytes(kept[changed] + b"x")
    try:
        for form in EXPORTS.names():
            job, errors = exported(seeded, format=form, folder=str(tmp_path / form))
            assert {int(error["key"]) for error in errors} == {*shared[gone], *shared[changed]}, form
            assert job.failed == len(errors) and job.done == job.total - len(errors)
            assert f"{len(errors)} sample{'s' * (len(errors) > 1)} left out: the picture is gone or changed" in job.message
            texts = {int(error["key"]): error["error"] for error in errors}
            assert f"sample {shared[gone][0]}: image {gone} is missing" in texts[shared[gone][0]]
            assert "was changed: its bytes no longer fit its name" in texts[shared[changed][0]]
        assert f"{len(errors)} samples whose picture is gone or changed" in (tmp_path / "jsonl" / "README.md").read_text()
    finally:
        for image, content in kept.items():
            paths[image].write_bytes(content)
    seeded[3].retry_errors(job.job_id)
    assert seeded[3].wait(job.job_id, PATIENCE).failed == 0
    assert "left out" not in seeded[3].get(job.job_id).message  # all of the list, not only what had failed


def test_bad_options_are_refused_before_anything_is_written(seeded, tmp_path):
    _, _, _, jobs = seeded
    for options, error in (({"format": "fax"}, "unknown exports 'fax'"), ({"format_options": {"rows": 3}}, "has no option 'rows'")):
        with pytest.raises(Exception, match=error):
            jobs.launch("export", {"folder": str(tmp_path / "out"), **options}, "ada")
    with pytest.raises(NothingToDo, match="no sample is undrawn"):
        jobs.launch("export", {"folder": str(tmp_path / "out"), "status": ["undrawn"]}, "ada")
    assert not (tmp_path / "out").exists()


def test_without_a_folder_it_goes_into_the_workspace(seeded):
    job, _ = exported(seeded, format="trl")
    assert (seeded[2].root / "exports" / "trl" / "train.jsonl").is_file() and "exports/trl/train.jsonl" in job.message
