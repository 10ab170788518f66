// The rule of Calibration: a slider a filter.
// The server sends once how many samples meet which thresholds; while sliding the browser counts.

import { api, ask, at, bar, chip, fill, fmt, h, later, onlyLatest, state, toast } from "../shared/lib.js";
import { asked, interval } from "./filters.js";

export class Rule {
  constructor(root, { target, reload }) {
    Object.assign(this, { root, target, reload, marks: null, checked: null });
    const newest = onlyLatest();
    // The interval comes from the server, once the slider rests.
    this.tellInterval = later(async ({ approved, labels }, element) => {
      if (!labels) return;
      const range = await newest(api("calibration/interval", { approved, labels }, { quiet: true }).catch(() => null));
      if (range) element.textContent = `(${fmt.percent(range.low, 1)} to ${fmt.percent(range.high, 1)})`;
    }, 120);
  }

  // Loads the counts if anything was added since, and draws the sliders. Proposes a rule the first time.
  async show(overview, labels) {
    const marks = JSON.stringify(overview.marks);
    this.overview = overview;
    if (!overview.filters.some((filter) => filter.scored.some(Boolean))) return;
    if (marks !== this.marks) {
      this.wanted = this.filters && this.conditions;
      this.load(await api("calibration/joint", {}));
      this.marks = marks;
      this.checked = null;
    }
    this.draw();
    if (!this.checked && labels && !overview.rule) await this.propose();
  }

  load(joint) {
    const { rows, filters } = joint;
    const codes = bytes(joint.codes);
    this.filters = filters.map((filter, i) => ({ ...filter, codes: codes.subarray(i * rows, (i + 1) * rows) }));
    for (const name of ["open", "labels", "approved", "held"]) this[name] = new Uint32Array(bytes(joint[name]).buffer);
    this.kept = null;
    for (const filter of this.filters) filter.spread = spread(filter, this.open);
    this.conditions = this.wanted ?? [];
  }

  // Where a threshold stands among a filter's stops.
  place({ cuts, comparison }, threshold) {
    if (threshold === null || threshold === undefined) return 0;
    const index = cuts.findIndex((cut) => (comparison === "at_least" ? cut >= threshold - 1e-9 : cut <= threshold + 1e-9));
    return index < 0 ? cuts.length : index + 1;
  }

  get conditions() {
    return this.filters.flatMap((filter, i) =>
      this.positions[i] ? [{ filter: filter.filter, comparison: filter.comparison, threshold: filter.cuts[this.positions[i] - 1] }] : [],
    );
  }

  set conditions(list) {
    const by = new Map(list.map((condition) => [condition.filter, condition.threshold]));
    this.positions = this.filters.map((filter) =>
      Math.max(filter.position, by.has(filter.filter) ? this.place(filter, by.get(filter.filter)) : 0),
    );
  }

  // Counts the samples inside the rule: one filter after the other thins the rows, some 10 ms for half a million.
  count() {
    const { filters, positions, open, labels, approved, held } = this;
    const active = filters.flatMap((filter, i) => (positions[i] > filter.position ? [[filter.codes, positions[i]]] : []));
    this.kept ??= new Uint32Array(open.length);
    let left = -1; // rows that are left; before the first filter all of them
    for (const [codes, at] of active) left = left < 0 ? thinFirst(codes, at, this.kept) : thin(codes, at, this.kept, left);
    const sum = (counts) => total(counts, this.kept, left);
    return { open: sum(open), labels: sum(labels), approved: sum(approved), held: sum(held) };
  }

  draw() {
    const box = at(this.root, "sliders");
    this.gate = h("div");
    fill(
      box,
      h("h4", this.overview.rule ? "Another rule" : "Rule: all must hold"),
      h(
        "div.card",
        this.filters.map((filter, i) => this.slider(filter, i)),
      ),
      this.gate,
    );
    this.live();
    this.drawGate();
  }

  slider(filter, i) {
    const [low, high] = [filter.position, filter.cuts.length];
    const scored = this.overview.filters[i].scored.some(Boolean);
    const text = h("span.at.r"),
      line = h("line", { y1: 0, y2: 20, stroke: "var(--accent)", "stroke-width": 1.5 });
    const bars = filter.spread.map(({ x, share }) =>
      h("rect", {
        x: 100 * x - 50 / (high - low + 1),
        y: 20 - 19 * share,
        width: Math.max(100 / (high - low + 1) - 0.4, 0.5),
        height: 19 * share,
      }),
    );
    const input = h("input", {
      type: "range",
      min: low,
      max: high,
      step: 1,
      "aria-label": `threshold of ${filter.filter} in the rule`,
      oninput: () => {
        this.positions[i] = Number(input.value);
        put();
        this.moved();
      },
    });
    const put = () => {
      const at = this.positions[i],
        moved = at > low;
      text.textContent = at ? asked(filter.comparison, filter.cuts[at - 1]) : "any";
      text.title = moved
        ? "Stricter than the filter's own setting"
        : filter.enabled
          ? "Same as the filter's own setting"
          : "The filter is off; the rule can still use its score";
      element.classList.toggle("moved", moved);
      element.classList.toggle("same", !moved);
      const x = low === high ? 0 : (100 * (at - low)) / (high - low);
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
      for (const [code, rect] of bars.entries()) rect.setAttribute("fill", low + code >= at ? "var(--accent)" : "var(--line-strong)");
    };
    const element = h(
      "div.slide",
      { dataset: { filter: filter.filter } },
      h("span.name", { title: filter.filter }, filter.filter),
      !scored
        ? h("small.faint", "no scores yet")
        : low === high
          ? h("small.faint", "strictest threshold")
          : h("div", h("svg", { viewBox: "0 0 100 20", preserveAspectRatio: "none", style: "padding:0 7px" }, bars, line), input),
      text,
    );
    input.value = this.positions[i];
    put();
    return element;
  }

  moved() {
    this.checked = null;
    this.live();
    this.drawGate();
  }

  live() {
    const began = performance.now();
    const sums = this.count();
    this.took = performance.now() - began;
    const box = at(this.root, "live");
    const limits = h("span");
    box.hidden = false;
    this.tellInterval(sums, limits);
    fill(
      box,
      h(
        "div.live",
        { title: `counted in ${this.took.toFixed(1)} ms` },
        h(
          "div.row",
          h("span.big", { dataset: { becomes: sums.open } }, fmt.number(sums.open)),
          h("span", `of ${fmt.number(this.overview.undecided)} undecided would be approved`),
          h("span.grow"),
          bar(this.overview.undecided ? sums.open / this.overview.undecided : 0),
        ),
        h(
          "small.dim",
          `${fmt.number(this.overview.undecided - sums.open)} left for review · search half: `,
          sums.labels
            ? [`reviewers approve ${fmt.percent(sums.approved / sums.labels, 1)} of ${fmt.plural(sums.labels, "label")} `, limits]
            : "no labels match the rule",
          ` · held out: ${fmt.plural(sums.held, "label")}`,
        ),
      ),
    );
  }

  async propose() {
    this.waiting("Searching on one half of the labels…");
    try {
      this.checked = await api("calibration/propose", { target: this.target() });
      this.checked.proposed = true;
      this.conditions = this.checked.conditions;
    } finally {
      this.draw();
    }
  }

  async check() {
    if (this.checked || !this.filters) return;
    this.waiting("Checking on the held-out labels…");
    const conditions = this.conditions;
    try {
      const check = await api("calibration/check", { conditions, target: this.target() });
      if (JSON.stringify(conditions) === JSON.stringify(this.conditions)) this.checked = check;
    } finally {
      this.drawGate();
    }
  }

  waiting(text) {
    if (this.gate) fill(this.gate, h("div.card.gate", h("span.dim", text)));
  }

  drawGate() {
    const check = this.checked?.target === this.target() ? this.checked : null;
    const propose = h(
      "button.btn",
      {
        onclick: () => this.propose(),
        title: "Searches one half of the labels: maximizes samples approved times the chance of reaching the target",
      },
      "Propose a rule",
      h("kbd", "p"),
    );
    if (!check)
      return fill(
        this.gate,
        h(
          "div.card.gate.shut",
          h(
            "p.dim",
            "The rule is tested on the held-out half of the labels, which the search does not use. " +
              "Rules checked there are counted: each further one has to show more.",
          ),
          h(
            "div.row.wrap",
            h("button.btn.p", { onclick: () => this.check() }, "Check on held-out labels", h("kbd", "c")),
            propose,
            this.reset(),
          ),
        ),
      );
    const { held, target, further, rules_checked: tried } = check,
      goal = fmt.percent(target, (target * 100) % 1 ? 1 : 0);
    const sentence = held.labels
      ? `On the held-out half reviewers approved ${fmt.number(held.approved)} of ${fmt.number(held.labels)}: ` +
        `${fmt.percent(held.precision, 1)}, lower limit ${fmt.percent(held.low, 1)} ` +
        `(97.5 %, for any number of looks; rule ${fmt.number(check.rank)} on these labels).`
      : "No held-out label matches this rule yet.";
    const verdict = check.reached
      ? [chip("target reached", { kind: "ok" }), `${fmt.percent(held.low, 1)} is at the target of ${goal} or above.`]
      : further === null
        ? [
            chip("not reachable at this precision", { kind: "no" }),
            `${fmt.percent(held.precision, 1)} is not above the target of ${goal}. ` +
              "Try a stricter rule, or label more samples for a better estimate.",
          ]
        : [
            chip(
              held.labels
                ? `label about ${fmt.number(further)} more to reach ${goal}`
                : `label about ${fmt.number(further)} to reach ${goal}`,
              { kind: "wa" },
            ),
            held.labels
              ? `if approved at the same rate; ${fmt.plural(check.to_label, "sample")} of that half match the rule and can be labelled.`
              : "if all of them are approved.",
          ];
    const many = Math.min(Math.max(further ?? 40, 40), 500);
    fill(
      this.gate,
      h(
        "div.card.gate",
        { class: check.reached ? "open" : "shut" },
        check.proposed && h("small.dim", "Proposed by the search half"),
        h("p", sentence),
        held.labels > 0 && interval(held.precision, held.low, held.high, target),
        h("p.row.wrap", verdict),
        h(
          "div.row.wrap",
          check.reached &&
            h(
              "button.btn.p",
              { onclick: () => this.turnOn(check), disabled: !check.becomes },
              `Turn on: approve ${fmt.number(check.becomes)}`,
            ),
          h(
            "button.btn",
            {
              class: check.reached ? "" : "p",
              onclick: () => this.sample(check.conditions, many),
              disabled: !check.becomes,
              title: "Random undecided samples that match the rule, held-out half first",
            },
            `Sample ${fmt.number(many)} for labelling`,
          ),
          propose,
          this.reset(),
        ),
        h("small.faint", `${fmt.plural(tried, "different rule has", "different rules have")} been checked on these labels.`),
      ),
    );
  }

  reset() {
    const moved = this.positions.some((position, i) => position !== this.filters[i].position);
    return (
      moved &&
      h(
        "button.btn.bare",
        {
          onclick: () => {
            this.conditions = [];
            this.checked = null;
            this.draw();
          },
        },
        "Reset to filter settings",
      )
    );
  }

  async sample(conditions, count) {
    const { sample_ids } = await api("calibration/draw", { conditions, count });
    if (!sample_ids.length) return toast("No undecided sample matches the rule: nothing is left to label");
    state.go("review", [
      ["queue", "mine"],
      ["samples", sample_ids.join(",")],
    ]);
  }

  async turnOn(check) {
    const yes = await ask(
      "Turn auto-approve on?",
      [
        h(
          "p",
          `${fmt.plural(check.becomes, "sample")} without a decision become auto-approved and are used in training; ` +
            `${fmt.number(check.left)} are left for review. New samples that match the rule are approved automatically.`,
        ),
        h(
          "p.dim.small",
          { style: "margin-top:8px" },
          "Reviewers' decisions take precedence. About 5 % of these approvals go to the audit queue for blind review; " +
            "if they fall short of the target, the rule is turned off automatically. " +
            "It can be turned off at any time.",
        ),
      ],
      `Approve ${fmt.number(check.becomes)}`,
    );
    if (!yes) return;
    const evidence = await api("calibration/on", { conditions: check.conditions, target: check.target });
    toast(`${fmt.plural(evidence.becomes, "sample")} auto-approved, ${fmt.number(evidence.left)} left for review`, { kind: "good" });
    document.dispatchEvent(new Event("mb:poll"));
    await this.reload();
  }
}

export const ruleChips = (conditions) =>
  h(
    "span.conditions",
    conditions.map((condition) => chip([condition.filter, h("span.dim", asked(condition.comparison, condition.threshold))])),
  );

// Of the samples that pass all filters: how many have the score of each stop, from the filter's own setting on.
function spread({ codes, position, cuts }, open) {
  const counts = new Array(cuts.length - position + 1).fill(0);
  for (let row = 0; row < open.length; row++) counts[Math.max(codes[row], position) - position] += open[row];
  const most = Math.max(...counts, 1);
  return counts.map((count, i) => ({
    x: counts.length === 1 ? 0 : i / (counts.length - 1),
    share: count ? Math.max(0.06, Math.sqrt(count / most)) : 0,
  }));
}

function thinFirst(codes, at, kept) {
  let left = 0;
  for (let row = 0; row < codes.length; row++) if (codes[row] >= at) kept[left++] = row;
  return left;
}

function thin(codes, at, kept, rows) {
  let left = 0;
  for (let i = 0; i < rows; i++) if (codes[kept[i]] >= at) kept[left++] = kept[i];
  return left;
}

function total(counts, kept, left) {
  let sum = 0;
  if (left < 0) for (let row = 0; row < counts.length; row++) sum += counts[row];
  else for (let i = 0; i < left; i++) sum += counts[kept[i]];
  return sum;
}

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
