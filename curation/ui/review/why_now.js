// Why this sample comes now, and, where people disagree, what each of them said.

import { chip, fmt, h } from "../shared/lib.js";
import { queue, words } from "./state.js";

const DID = { approve: ["approved", "ok"], reject: ["rejected", "no"] };
const NEAR = 0.25; // of a threshold: a score nearer than that is worth a word

// "Why now: 2 of 7 filters fail it · agreement 0.67 is close to the threshold 0.6 · “Miscounts bars” has 12 of 100 approved"
export function why(card) {
  if (card.guest) return "Not in this queue: opened directly.";
  if (card.blind) return "Why now: random order (blind)";
  if (queue.order !== "informative")
    return `Why now: ${{ random: "random order", newest: "newest first", oldest: "oldest first" }[queue.order]}`;
  const judged = card.verdicts.filter((verdict) => verdict.score !== null);
  const failed = judged.filter((verdict) => verdict.passes === false).length;
  const apart = (verdict) => Math.abs(verdict.score - verdict.threshold) / Math.max(Math.abs(verdict.threshold), 1);
  const nearest = judged.filter((verdict) => apart(verdict) > 0).sort((verdict, second) => apart(verdict) - apart(second))[0];
  const { approved, target } = queue.known ?? {};
  const have = approved?.[card.group];
  const reasons = [
    failed > 0 && failed < judged.length && `filters disagree: ${failed} of ${judged.length} fail it`,
    nearest &&
      apart(nearest) < NEAR &&
      `${words(nearest.filter)} ${fmt.fixed(nearest.score, 2)} is close to the threshold ${nearest.threshold}`,
    have < target && `${card.cluster ? `“${card.cluster}”` : card.error_type} has ${fmt.number(have)} of ${fmt.number(target)} approved`,
  ].filter(Boolean);
  return `Why now: ${reasons.join(" · ") || "no more informative sample is left"}`;
}

// The latest word of each who decided this revision, side by side.
export function dispute(card) {
  if (card.status !== "disputed" || card.blind) return null;
  const latest = new Map();
  for (const event of card.events)
    if (DID[event.action] && !event.undone && event.revision === card.revision) latest.set(event.reviewer, event);
  const opinion = ({ reviewer, action, reason, note, created_at }) =>
    h(
      "div.rev-said",
      { class: DID[action][1] },
      h("div", h("b", reviewer), " ", chip(DID[action][0], { kind: DID[action][1] })),
      reason && h("div", reason),
      note && h("div.rev-quote", note),
      h("small.dim", fmt.ago(created_at)),
    );
  return [
    h("dt", "Dispute"),
    h(
      "dd",
      h("div.rev-dispute", [...latest.values()].map(opinion)),
      h("div.small.dim", "Your decision resolves the dispute: it overrides the others until it is undone."),
    ),
  ];
}
