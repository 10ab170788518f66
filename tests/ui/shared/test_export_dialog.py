"""Exports in Chromium: samples from Finetune, a checkpoint from Data & models; count, progress, where it was written."""

import json

import pytest

from curation import checkpoints
from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from data.records import Checkpoint
from tests.support import tiny_llava
from tests.support.browser import chromium, executable, served
from tests.support.seed import seeded_store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    root = tmp_path_factory.mktemp("exports")
    store, _, workspace = seeded_store(root / "w", 60, samples=60)
    base = tiny_llava.build(root / "base")
    adapter = root / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(base), "peft_type": "LORA"}))
    write_lora(adapter)
    checkpoints.register(store, Checkpoint("tuned", "llava", str(base), str(adapter)))
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"))
    with served(app) as address, chromium(address) as page:
        yield page, address, store, workspace
    store.close()


def write_lora(folder):
    import torch
    from safetensors.torch import save_file

    save_file({"lora": torch.zeros(2)}, folder / "adapter_model.safetensors")


@pytest.mark.skipif(executable() is None, reason="no Chromium")
def test_samples_are_exported_from_finetune_and_the_page_says_where_to(here):
    page, address, store, workspace = here
    page.goto(f"{address}/?page=finetune")
    page.get_by_role("button", name="Export samples").click()
    count = page.locator("[data-export-count]")
    approved = len(store.rows("samples_to_export", statuses=["approved", "auto_approved"]))
    count.get_by_text(f"{approved} sample").first.wait_for()
    page.get_by_label("Format").select_option("llava")
    page.get_by_text("Conversations as LLaVA's own training scripts read them.").wait_for()
    page.get_by_label("waiting for review").check()
    wider = len(store.rows("samples_to_export", statuses=["approved", "auto_approved", "pending"]))
    count.get_by_text(f"{wider} sample").first.wait_for()
    count.get_by_text("exports/llava").wait_for()
    page.get_by_role("button", name="Export", exact=True).click()
    page.locator("[data-export-state]").get_by_text(f"{wider} samples written to").wait_for(timeout=120_000)
    assert len(json.loads((workspace.root / "exports" / "llava" / "llava.json").read_text())) == wider
    page.get_by_role("button", name="Close", exact=True).last.click()
    page.get_by_role("button", name="Export samples").click()
    page.get_by_label("approved by people").uncheck()
    page.get_by_label("approved by a rule").uncheck()
    count.get_by_text("Choose which samples are exported.").wait_for()
    page.keyboard.press("Escape")


@pytest.mark.skipif(executable() is None, reason="no Chromium")
def test_a_checkpoint_is_exported_from_data_and_models(here):
    page, address, _, workspace = here
    page.goto(f"{address}/?page=data")
    row = page.get_by_role("row").filter(has_text="tuned")
    row.get_by_role("button", name="Export").click()
    page.locator("[data-export-count]").get_by_text("exports/tuned-adapter").wait_for()
    page.get_by_role("button", name="Export", exact=True).last.click()
    page.locator("[data-export-state]").get_by_text("adapter of tuned written to").wait_for(timeout=120_000)
    assert (workspace.root / "exports" / "tuned-adapter" / "README.md").is_file()
    page.get_by_role("button", name="Close", exact=True).last.click()
    assert page.get_by_role("row").filter(has_text="pocket-llava").first.get_by_role("button", name="Export").count() == 0
