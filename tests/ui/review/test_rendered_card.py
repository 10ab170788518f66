"""A rendered sample on the Review page in Chromium: the data beside it, the spec to open, what the data gives beside the answer."""

import pytest

from curation.config import Settings
from curation.jobs.manager import JobManager
from curation.stages import stage_class
from curation.ui.server.app import create_app
from tests.support import rendered_samples
from tests.support.browser import chromium, served
from tests.support.seed import seeded_store

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    store, images, workspace = seeded_store(tmp_path_factory.mktemp("rendered") / "seeded", 60, samples=20, seed=9)
    ids = rendered_samples.add(store, images)
    app = create_app(workspace, store, JobManager(store, workspace, stage_class), Settings(reviewer="ada"))
    with served(app) as address:
        yield address, ids
    store.close()


@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(1440, 900, "light"), (1440, 900, "dark"), (1024, 768, "light"), (390, 844, "light")]
)
def test_the_card_shows_the_data_the_spec_and_the_computed_answer(site, width, height, scheme):
    address, ids = site
    right, wrong, flow = ids[0], ids[1], ids[4]
    card = f"{address}?page=review&status=all&sample="
    with chromium(f"{card}{wrong}", width, height, scheme) as page:
        panel, beside = page.locator("#page-review .rev-panel"), page.locator("#page-review [data-origin]")
        panel.get_by_text("the data gives Bergen").wait_for()
        if width < 1180:
            page.locator("#page-review .hd .drawer-tab:visible").first.click()
        beside.get_by_text("Rendered from a spec").wait_for()
        assert beside.locator(".rev-data tbody tr").all_text_contents() == ["Oslo31", "Bergen18", "Bodø24", "Tromsø27.5"]
        assert "argmin visitors, label city" in beside.inner_text()
        beside.get_by_role("button", name="open").click()
        shown = page.locator("dialog.mb")
        assert '"mark": "bar"' in shown.inner_text() and '"op": "argmin"' in shown.inner_text()
        page.keyboard.press("Escape")
        shown.wait_for(state="detached")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.goto(f"{card}{right}")
        panel.get_by_text("as computed").wait_for()
        page.goto(f"{card}{flow}")
        panel.get_by_text("What follows Check").wait_for()
        assert not panel.get_by_text("as computed").count()
