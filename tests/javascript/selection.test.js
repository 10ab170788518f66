import "./document.js";
import assert from "node:assert/strict";
import { test } from "node:test";

const { filter, isCounted, learn } = await import("../../curation/ui/failures/selection.js");
const { changeButtons } = await import("../../curation/ui/failures/cluster_edits.js");

const choose = (search) => history.replaceState(null, "", search);
const page = (failures) => ({ failures, of: JSON.stringify(filter()), rows: [], offset: 0 });

test("a cluster is made of a selection once its failures are counted, not of the count before", () => {
  choose("?page=failures");
  learn({ page: page(240) });
  assert.ok(isCounted());
  choose("?page=failures&lasso=0,0+4,0+4,4");
  assert.ok(!isCounted());
  assert.equal(changeButtons([], []), null);
  learn({ page: page(21) });
  assert.match(changeButtons([], []).textContent, /Make a cluster of 21/);
});
