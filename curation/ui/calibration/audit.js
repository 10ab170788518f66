// What stands: the rule that approves now, its audit, and earlier rules.

import { api, ask, at, chip, fill, fmt, h, state, toast } from "../shared/lib.js";
import { ruleChips } from "./approval_rule.js";
import { interval } from "./filters.js";

export function drawStanding(root, { rule, audit, history }, reload) {
  const stopped = !rule && history[0]?.author === "audit";
  fill(at(root, "gate"), rule ? chip("on", { kind: "ok" }) : stopped ? chip("stopped by its audit", { kind: "no" }) : chip("off"));
  fill(
    at(root, "rule"),
    rule
      ? standing(rule, audit, reload)
      : stopped &&
          h(
            "div.card.gate",
            h(
              "p",
              h("b", "Auto-approve was turned off by its audit"),
              ` ${fmt.ago(history[0].created_at)}: ${history[0].reason}. Its approvals are pending again; reviewers' decisions are kept.`,
            ),
            h(
              "div.row",
              h(
                "button.btn",
                {
                  onclick: async () => {
                    await api("calibration/off", { reason: "seen" });
                    document.dispatchEvent(new Event("mb:poll"));
                    await reload();
                  },
                },
                "Dismiss",
              ),
            ),
          ),
  );
}

function standing(rule, audit, reload) {
  const { evidence } = rule;
  const off = async () => {
    if (
      !(await ask(
        "Turn auto-approve off?",
        h(
          "p",
          `${fmt.plural(audit.approves, "auto-approved sample")} become pending again and ` +
            "are not trained on until reviewers approve them. Reviewers' decisions are kept.",
        ),
        "Turn off",
      ))
    )
      return;
    await api("calibration/off", {});
    toast("Auto-approve is off");
    document.dispatchEvent(new Event("mb:poll"));
    await reload();
  };
  return h(
    "div.card.gate.open",
    h(
      "div.row",
      h("b", fmt.plural(audit.approves, "sample")),
      h("span.dim", "approved by this rule"),
      h("span.grow"),
      h("button.btn", { onclick: off }, "Turn off"),
    ),
    ruleChips(rule.conditions),
    h(
      "small.dim",
      `Turned on by ${rule.author} ${fmt.ago(rule.created_at)}: ` +
        `then ${fmt.number(evidence.held.approved)} of ${fmt.number(evidence.held.labels)} held-out labels approved, ` +
        `lower limit ${fmt.percent(evidence.held.low, 1)}, target ${fmt.percent(evidence.target, 1)}.`,
    ),
  );
}

export function drawAudit(box, { rule, audit }) {
  if (!rule) return fill(box);
  const waiting = audit.approvals.waiting + audit.rejections.waiting;
  const outcome = ({ labels, approved }, text) =>
    h("span", labels ? `${fmt.number(approved)} of ${fmt.number(labels)} ${text}` : "none decided yet");
  fill(
    box,
    h("h4", "Audit"),
    h(
      "div.card.gate",
      h(
        "dl.kv",
        h("dt", "Approved by rule"),
        h("dd", outcome(audit.approvals, "also approved by reviewers")),
        h("dt", "Rejected by filters"),
        h("dd", outcome(audit.rejections, "approved by reviewers")),
        h("dt", "With held-out labels"),
        h(
          "dd",
          `lower limit ${fmt.percent(audit.together.low, 1)} of ${fmt.plural(audit.together.labels, "label")}, ` +
            `target ${fmt.percent(rule.evidence.target, 1)}`,
        ),
      ),
      interval(audit.together.precision ?? 0, audit.together.low, audit.together.high, rule.evidence.target),
      h(
        "p.hint",
        "About 5 % of automatic approvals and 1 % of automatic rejections are sampled for blind review. " +
          "Below the target the rule is turned off automatically.",
      ),
      h(
        "div.row",
        h(
          "button.btn.p",
          { disabled: !waiting, onclick: () => state.go("review", [["audit", "1"]]) },
          waiting ? `Review the audit queue: ${fmt.number(waiting)}` : "The audit queue is empty",
        ),
      ),
    ),
  );
}

export function drawHistory(box, history) {
  fill(
    box,
    history.length > 0 && [
      h("h4", "History"),
      h(
        "div",
        history.map((row) =>
          h(
            "div.past",
            h("span.dim", { title: new Date(row.created_at).toLocaleString() }, fmt.ago(row.created_at)),
            h(
              "span",
              row.conditions
                ? [
                    h("b", "on"),
                    ` by ${row.author}: lower limit ${fmt.percent(row.evidence?.held?.low, 1)}, ` +
                      `${fmt.plural(row.evidence?.becomes ?? 0, "sample")} `,
                    ruleChips(row.conditions),
                  ]
                : [h("b", "off"), ` by ${row.author}: ${row.reason ?? ""}`],
            ),
          ),
        ),
      ),
    ],
  );
}
