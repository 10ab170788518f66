// Brings what the URL asks for: the summary of the rounds, the page of the grid, clusters, facets, and the card of one failure.

import { api, endings, later, onlyLatest, state } from "../shared/lib.js";
import { followSaved } from "./saved_views.js";
import { changed, clustersEdited, filter, learn, offset, PAGE, pageArrived, rounds, shown } from "./selection.js";

const REST = 250; // milliseconds without a change before what is shown is asked for again
const SHARE = 4; // the pause between two refreshes is at least so many times as long as a refresh takes: a large round is slow
const WORK = ["import", "evaluate", "kinds", "diagnose", "cluster"]; // jobs that bring something for this page

let listed = null; // what the lists on the page show, as JSON
let summed = null; // which rounds the summary is of, as JSON
let early = null; // the answer that the first page waits for, asked for before anything else: {of, answer}
let cardId = null; // the failure whose card is shown, as of the last change on the server

// Asks for the first pictures at once: they need to know nothing else.
export function loadEarly() {
  if (!state.one("saved")) early = askPage(filter());
}

// Loads what the URL names and is not there yet.
export async function load() {
  if (await followSaved()) return; // it changes the URL, and this is called again
  if (!shown().summary || summed !== JSON.stringify(rounds())) await loadSummary();
  changed.tell(); // what was just chosen is seen at once, the answers follow
  const wanted = JSON.stringify([filter(), offset(), shown().summary.version]);
  if (wanted !== listed) {
    listed = wanted;
    await loadLists(filter());
  }
  await loadCard();
}

async function loadSummary() {
  const wanted = rounds();
  const summary = await api("failures/summary", { round: wanted.length ? wanted : null });
  summed = JSON.stringify(wanted);
  learn({ summary });
}

function askPage(chosen) {
  const asked = { ...chosen, offset: offset(), limit: PAGE };
  const answer = api("failures/page", asked);
  answer.catch(() => {}); // whoever shows it says so
  return { of: JSON.stringify(asked), answer };
}

let turns = 0;

// The pictures come first: nothing else is asked for until they are known, the map's points included.
async function loadLists(chosen) {
  const mine = ++turns;
  const isCurrent = () => mine === turns;
  const turned = offset();
  const asked = JSON.stringify({ ...chosen, offset: turned, limit: PAGE });
  const { answer } = early?.of === asked ? early : askPage(chosen);
  early = null;
  const page = await answer;
  if (!isCurrent()) return;
  learn({ page: { ...page, offset: turned, of: JSON.stringify(chosen) } });
  pageArrived.tell(chosen, isCurrent);
  const [clusters, facets] = await Promise.all([api("failures/clusters", chosen), api("failures/facets", chosen)]);
  if (isCurrent()) learn({ clusters, facets });
}

const newestCard = onlyLatest();

async function loadCard() {
  const id = Number(state.one("card")) || shown().page?.rows[0]?.failure_id || null;
  let { card } = shown();
  if (id === null) card = null;
  else if (id !== cardId || !card) {
    const asked = newestCard(api("failures/card", { failure_id: id }));
    const answer = await asked.catch((error) =>
      error.status === 404 ? state.set({ card: null }, { replace: true }) : Promise.reject(error),
    );
    card = answer ?? shown().card;
  }
  cardId = card?.failure_id ?? null;
  const { page } = shown();
  const index = page?.rows.findIndex((row) => row.failure_id === cardId) ?? -1;
  learn({ card, place: index < 0 ? null : page.offset + index + 1 });
}

// After something was changed on the server.
export async function refresh() {
  listed = cardId = null;
  await loadSummary();
  await load();
}

// The same, when nothing more follows for a moment, for keys come quickly.
export const refreshSoon = later(refresh, REST);

// After somebody has changed the clusters: what is known of them is asked for anew, too.
export async function refreshClusters() {
  clustersEdited.tell();
  await refresh();
}

let working = false; // a job of WORK runs
const hasEnded = endings();
let rest = 0; // no refresh by itself before this moment

// While a job brings new failures, diagnoses or places, the page follows; once more when it ends.
export async function tick(workspace) {
  const running = workspace.running.filter((job) => WORK.includes(job.stage));
  if (running.length || shown().running.length) learn({ running });
  if (hasEnded(workspace)) working = true;
  const { summary } = shown();
  const grown = summary && rounds().length < 2 && workspace.round === summary.round && workspace.counts.failures !== summary.failures;
  if ((!running.length && !working && !grown) || performance.now() < rest) return;
  working = running.length > 0;
  const begun = performance.now();
  await refresh();
  rest = performance.now() + SHARE * (performance.now() - begun);
}
