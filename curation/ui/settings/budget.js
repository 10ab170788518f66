// The default budget of new jobs, and what this workspace has spent.

import { api, fill, fmt, h, toast } from "../shared/lib.js";

export function drawBudget(box, { budget: cap, spend }) {
  const input = h("input.in.short", {
    type: "number",
    min: 0,
    step: "any",
    value: cap ?? "",
    placeholder: "none",
    "aria-label": "Default budget, USD",
  });
  const save = async () => {
    const now = await api("settings/budget", { usd: input.value === "" ? null : Number(input.value) });
    toast(now.budget === null ? "New jobs start without a cap" : `New jobs start with a cap of ${fmt.usd(now.budget)}`, { kind: "good" });
  };
  fill(
    box,
    h("h4", "Budget"),
    h(
      "div.card",
      h("div.line", h("span", "Budget cap of new jobs, USD"), h("span.grow"), input, h("button.btn", { onclick: save }, "Set")),
      h(
        "div.line",
        h("span", "Spent in this workspace"),
        h("span.grow"),
        h("b", fmt.usd(spend.usd)),
        spend.unpriced > 0 && h("small.dim", `+ ${fmt.plural(spend.unpriced, "unpriced call")}`),
      ),
    ),
    h("p.hint", "A hard limit: calls in flight count at their worst-case cost. Each launch can set its own."),
  );
}
