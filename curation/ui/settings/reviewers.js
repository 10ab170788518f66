// Who has reviewed, and under which name decisions are stored.

import { chip, fill, fmt, h } from "../shared/lib.js";

const flag = (text) => h("span", { style: "white-space:nowrap" }, text);

export function drawReviewers(box, { reviewer, login, reviewers }) {
  const row = (person) =>
    h(
      "div.line",
      h("span.clip", person.reviewer),
      person.reviewer === reviewer && chip("you", { kind: "on" }),
      h("span.grow"),
      h(
        "small.dim",
        `${fmt.plural(person.decisions, "decision")}, ` +
          `${fmt.percent(person.decisions ? person.rejections / person.decisions : null)} rejected` +
          ` · ${fmt.ago(person.last_at)}`,
      ),
    );
  fill(
    box,
    h("h4", "Reviewers"),
    h("div.card", reviewers.length ? reviewers.map(row) : h("div.dim", `No reviews yet. You are ${reviewer}.`)),
    h(
      "p.hint",
      login
        ? `You are logged in as ${reviewer}.`
        : [
            `Your decisions are stored under the name ${reviewer}. To change it, start the app with `,
            flag("--reviewer NAME"),
            "; for several people, with ",
            flag("mistakebook users add NAME"),
            " for each of them.",
          ],
    ),
  );
}
