// The Spend view of Jobs: what was spent by round and stage, for each approved sample, by cluster, by model.

import { chip, dot, emptyState, fmt, h, state } from "../shared/lib.js";

// Small amounts keep two digits that say something.
export const usd = (value) => (value === null || value === undefined ? "unpriced" : fmt.usd(value));
const each = (value) =>
  value === null || value === undefined ? h("span.faint", "–") : h("b", { style: "font-weight:550" }, fmt.usd(value));
const amount = (value) => (value === null || value === undefined ? h("span.faint", "–") : fmt.usd(value));
const table = (head, rows, foot = null) =>
  h(
    "div.card.rows",
    h(
      "table",
      h(
        "thead",
        h(
          "tr",
          head.map(([text, right, title]) => h("th", { class: right ? "r" : "", title }, text)),
        ),
      ),
      h("tbody", rows),
      foot,
    ),
  );

function lostText({ lost, lost_usd: worst }) {
  return (
    lost > 0 &&
    h(
      "span.dim",
      { title: "Calls without a usable reply: time-outs, resets, killed processes. Budgets count them at their worst-case cost." },
      `${fmt.plural(lost, "lost call")}${worst ? `, up to ${fmt.usd(worst)}` : ""}`,
    )
  );
}

// `chart`: the element of the chart of spend over time, or null where nothing is priced.
export function spendView(spend, chart) {
  if (!spend.by_model.length)
    return emptyState(
      "No spend yet",
      "Frontier calls and images from paid servers appear here with their cost: " +
        "by stage, by cluster, and for each sample that is approved.",
      { text: "Back to the jobs", run: () => state.set({ tab: null }) },
    );
  return [
    chart && [h("h4", "Spend over time"), h("div.card", chart), spendNote(spend.by_model)],
    spend.rounds.map(round),
    h("h4", `Clusters of round ${spend.round}`),
    spend.clusters.length
      ? clusters(spend.clusters)
      : h("div.card.dim", "No spend by cluster yet: diagnose failures, then compute the map."),
    h("h4", "By stage and model"),
    models(spend.by_model),
  ];
}

// What the chart leaves out.
function spendNote(rows) {
  const unpriced = rows.reduce((sum, row) => sum + row.unpriced, 0);
  const lost = rows.reduce((sum, row) => sum + row.lost, 0);
  const left = [unpriced && `${fmt.plural(unpriced, "unpriced call")}`, lost && `${fmt.plural(lost, "lost call")}`].filter(Boolean);
  return left.length > 0 && h("p.dim", h("small", `Not in the chart: ${left.join(" and ")}.`));
}

function round({ round: number, stages, usd: total, approved, samples, per_approved: per }) {
  const numbers = h(
    "div.figures",
    figure(usd(total), number ? `spent in round ${number}` : "spent outside a round"),
    number > 0 && figure(per === null ? "–" : fmt.usd(per), "per approved sample"),
    number > 0 && figure(fmt.number(approved), `approved of ${fmt.plural(samples, "sample")}`),
  );
  const head = [
    ["Stage"],
    ["Calls", 1],
    ["Tokens in", 1],
    ["of them cached", 1],
    ["Tokens out", 1],
    ["Lost", 1, "Calls without a usable reply, and their worst-case cost"],
    ["Spend", 1],
    ["Per approved", 1, "Spend of the stage per approved sample"],
  ];
  return [
    h("h4", number ? `Round ${number}` : "Outside a round"),
    h(
      "div.card.rows.round",
      numbers,
      h(
        "table",
        h(
          "thead",
          h(
            "tr",
            head.map(([text, right, title]) => h("th", { class: right ? "r" : "", title }, text)),
          ),
        ),
        h(
          "tbody",
          stages.map((row) =>
            h(
              "tr",
              h("td", row.stage),
              h("td.r", fmt.number(row.calls)),
              h("td.r.dim", fmt.number(row.prompt_tokens)),
              h("td.r.dim", fmt.number(row.cached_tokens)),
              h("td.r.dim", fmt.number(row.completion_tokens)),
              h(
                "td.r",
                { title: row.lost ? `at most ${fmt.usd(row.lost_usd)}` : null },
                row.lost ? fmt.number(row.lost) : h("span.faint", "0"),
              ),
              h("td.r", priced(row)),
              h("td.r", each(row.per_approved)),
            ),
          ),
        ),
      ),
    ),
  ];
}

const figure = (value, what) => h("div", h("div.num", value), h("div.dim", what));
const priced = (row) => [usd(row.usd), row.usd !== null && row.unpriced > 0 && h("small.dim", ` + ${fmt.number(row.unpriced)} unpriced`)];

function clusters(rows) {
  const head = [
    ["Cluster"],
    ["Diagnose", 1],
    ["Generate", 1],
    ["Draw", 1],
    ["Filter", 1],
    ["All", 1],
    ["Samples", 1],
    ["Approved", 1],
    ["Per approved", 1],
  ];
  return table(
    head,
    rows.slice(0, 100).map((row) =>
      h(
        "tr",
        h(
          "td.clip.wide",
          { title: `${row.title}${row.error_type ? ` (${row.error_type})` : ""}` },
          row.error_type && [dot(row.error_type), " "],
          row.cluster_id
            ? h(
                "a",
                {
                  href: `?page=failures&cluster=${row.cluster_id}`,
                  onclick: (event) => {
                    event.preventDefault();
                    state.go("failures", { cluster: row.cluster_id });
                  },
                },
                row.title,
              )
            : row.title,
        ),
        ["diagnose", "generate", "draw", "filter"].map((part) => h("td.r.dim", amount(row[`${part}_usd`]))),
        h("td.r", usd(row.usd)),
        h("td.r", fmt.number(row.samples)),
        h("td.r", fmt.number(row.approved)),
        h("td.r", each(row.per_approved)),
      ),
    ),
  );
}

function models(spend) {
  const sum = (name) => spend.reduce((total, row) => total + (row[name] ?? 0), 0);
  const any = spend.some((row) => row.usd !== null);
  const head = [["Stage"], ["For"], ["Model"], ["Endpoint"], ["Calls", 1], ["Tokens in", 1], ["Tokens out", 1], ["Lost", 1], ["Spend", 1]];
  return table(
    head,
    spend.map((row) =>
      h(
        "tr",
        h("td", row.stage ?? h("span.dim", "no job")),
        h("td.dim", row.purpose),
        h("td.clip", { title: row.model }, row.model),
        h("td.clip.dim", { title: row.endpoint }, row.endpoint),
        h("td.r", fmt.number(row.calls)),
        h("td.r.dim", fmt.number(row.prompt_tokens)),
        h("td.r.dim", fmt.number(row.completion_tokens)),
        h("td.r", row.lost ? fmt.number(row.lost) : h("span.faint", "0")),
        h("td.r", priced(row)),
      ),
    ),
    h(
      "tfoot",
      h(
        "tr",
        h("td", { colspan: 4 }, "All"),
        ["calls", "prompt_tokens", "completion_tokens", "lost"].map((name) => h("td.r", fmt.number(sum(name)))),
        h("td.r", any ? priced({ usd: sum("usd"), unpriced: sum("unpriced") }) : "unpriced"),
      ),
    ),
  );
}

// A job's money as it stands: spent, where it leads, how fast, against its cap.
export function moneyOf(money, live) {
  const { usd: spent, cap_usd: cap, projected_usd: ahead, per_minute_usd: rate } = money;
  const share = cap && spent !== null ? Math.min(1, spent / cap) : null;
  return h(
    "div.card.money",
    h(
      "div.figures",
      figure(usd(spent), cap === null ? "spent, no cap" : `of ${fmt.usd(cap)}`),
      ahead !== null && figure(`≈ ${fmt.usd(ahead)}`, "projected at the current rate"),
      live && rate !== null && figure(fmt.usd(rate), "a minute"),
    ),
    share !== null &&
      h(
        "div.mini",
        { title: "Spend and cap" },
        h("i", { style: { width: `${100 * share}%`, background: share > 0.9 ? "var(--warn)" : null } }),
      ),
    h(
      "div.row.wrap.dim",
      h(
        "small",
        `${fmt.number(money.prompt_tokens)} tokens in${money.cached_tokens ? `, ${fmt.number(money.cached_tokens)} of them cached` : ""}` +
          ` · ${fmt.number(money.completion_tokens)} out`,
      ),
      money.unpriced > 0 && spent !== null && h("small", `${fmt.number(money.unpriced)} calls unpriced`),
      money.lost > 0 && h("small", lostText(money)),
    ),
    cap !== null &&
      ahead !== null &&
      ahead > cap &&
      chip(`the cap is reached at about ${fmt.percent(cap / ahead)} of the rows`, { kind: "wa" }),
  );
}
