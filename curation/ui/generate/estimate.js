// What a launch of Generate would take: calls, money, time; and the buttons that launch it.

import { hostText } from "../shared/host_consent.js";
import { colour, dot, fillOnce, fmt, h } from "../shared/lib.js";

// What a launch would take; a text of the server where the form can't be launched.
export function drawEstimate(element, { plan, problem, busy }) {
  element.classList.toggle("busy", busy);
  fillOnce(element, [plan && { ...plan, prompt: null }, problem], () => {
    if (problem) return h("div.card.bad", h("div.dim", "Can't launch"), h("p.err", problem));
    if (!plan) return h("div.card", h("div.dim", "Estimate"), h("div.num.faint", "…"));
    if (!plan.failures) return null;
    return h(
      "div.card",
      h("div.dim", "Estimate"),
      money(plan),
      h("p.dim", work(plan)),
      h("p.dim", when(plan)),
      typesBar(plan),
      quotas(plan),
    );
  });
}

function money(plan) {
  const parts = [
    ["generating", plan.calls, plan.billed, plan.usd, plan.frontier.model],
    ["drawing at most", plan.images, true, plan.draw_usd, plan.drawer.model], // rendered images cost nothing
    ["filtering", plan.filter_calls, plan.filter_billed, plan.filter_usd, plan.judge.model],
  ];
  const asked = parts.filter(([, calls]) => calls),
    billed = asked.filter(([, , bills, usd]) => bills && !(usd && usd[1] === 0));
  if (!plan.calls && !plan.filter_calls) return h("div.num", "$0 ", h("small.dim", "all replies are in the journal"));
  if (!billed.length) return h("div.num", "free", h("small.dim", " built-in: nothing is billed"));
  const priced = billed.filter(([, , , usd]) => usd),
    unpriced = billed.filter(([, , , usd]) => !usd);
  const title = billed.map(([name, , , usd]) => `${name} ${usd ? fmt.usdRange(usd) : "unpriced"}`).join(" · ");
  if (!priced.length)
    return h(
      "div.num",
      { title },
      "unpriced",
      h("small.dim", ` no price is known for ${[...new Set(unpriced.map(([, , , , model]) => model))].join(", ")}`),
    );
  const sum = [0, 1].map((side) => priced.reduce((total, [, , , usd]) => total + usd[side], 0));
  return h(
    "div.num",
    { title },
    fmt.usdRange(sum),
    h("small.dim", unpriced.length ? ` and ${unpriced.map(([name]) => name).join(", ")}: unpriced` : priced.length > 1 ? ` ${title}` : ""),
  );
}

function work(plan) {
  const parts = [`${fmt.plural(plan.failures, "failure")}`, fmt.plural(plan.calls, "call"), fmt.plural(plan.samples, "sample")];
  if (plan.images) parts.push(fmt.plural(plan.images, "image"));
  if (plan.filter_calls) parts.push(fmt.plural(plan.filter_calls, "filter call"));
  return parts.join(" · ");
}

function when(plan) {
  const judge = plan.filter_calls && (plan.judge.model !== plan.frontier.model || plan.judge.host !== plan.frontier.host);
  const places = [
    `calls ${plan.frontier.model} ${hostText(plan.frontier.host)}`,
    judge ? `filters call ${plan.judge.model} ${hostText(plan.judge.host)}` : null,
    plan.images ? `draws with ${plan.drawer.model} ${hostText(plan.drawer.host)}, renders specs here` : null,
  ];
  return [plan.seconds ? `about ${fmt.duration(plan.seconds)}` : "time not known yet", ...places].filter(Boolean).join(" · ");
}

function typesBar(plan) {
  const types = plan.by_error_type;
  return (
    types.length > 0 &&
    h(
      "div.stack",
      { style: "margin-top:8px", title: types.map((count) => `${count.error_type} ${count.teachable}`).join(" · ") },
      types.map((count) => h("i", { style: { flex: count.teachable, background: colour(count.error_type) } })),
    )
  );
}

export function drawLaunch(element, { choices, plan, problem, busy }, { launch, tryOn }) {
  const can = Boolean(plan?.failures) && !problem;
  const share = can ? Math.min(tryOn, plan.failures) / plan.failures : 0;
  const few = Math.min(tryOn, plan?.failures ?? tryOn);
  fillOnce(
    element,
    [can, plan?.samples, few, busy],
    () =>
      choices?.teachable > 0 && [
        h(
          "button.btn.p",
          {
            disabled: !can,
            onclick: () => launch(),
            title: can ? `Generates ${fmt.plural(plan.samples, "sample")} for ${fmt.plural(plan.failures, "failure")}` : "",
          },
          can ? `Generate ${fmt.plural(plan.samples, "sample")}` : "Generate",
          h("kbd", "b"),
        ),
        plan?.failures > tryOn &&
          h(
            "button.btn",
            {
              onclick: () => launch(tryOn),
              title: `${fmt.plural(few, "failure")} of different error types: about ${fmt.plural(plan.samples * share, "sample")}`,
            },
            `Try on ${few} first`,
          ),
      ],
  );
  element.hidden = !element.childNodes.length;
}

// How many failures of each cluster are practised, where not all are.
function quotas(plan) {
  const { quotas: parts } = plan.detail;
  if (!parts.some((part) => part.quota < part.failures)) return null;
  return h(
    "details.gen-quotas",
    h("summary", "Quotas"),
    h(
      "table",
      h("thead", h("tr", h("th", "Cluster"), h("th.n", "Failures"), h("th.n", "Quota"))),
      h(
        "tbody",
        parts.map((part) =>
          h(
            "tr",
            h("td", dot(part.error_type), " ", part.title ?? `${part.error_type}, in no cluster`),
            h("td.n", fmt.number(part.failures)),
            h("td.n", fmt.number(part.quota)),
          ),
        ),
      ),
    ),
  );
}
