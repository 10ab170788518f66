// What the figures say in words, a null result included; and what is not in them.

import { fmt, h } from "../shared/lib.js";

const list = (lines) => lines.map((one) => one.name).join(", ");

export function inWords({ overall, by_error_type: types, examples }) {
  const sure = types.filter((one) => one.p_holm < 0.05);
  const gains = sure.filter((one) => one.difference > 0),
    losses = sure.filter((one) => one.difference < 0);
  const skill = gains.filter((one) => one.learnt === "skill"),
    form = gains.filter((one) => one.learnt === "form"),
    untold = gains.filter((one) => one.learnt === null);
  const whole =
    overall.low > 0
      ? `Better overall on ${fmt.number(examples)} eval examples.`
      : overall.high < 0
        ? "Worse overall."
        : `No significant overall difference (minimum detectable: ${fmt.fixed(overall.detectable)}).`;
  return [
    whole,
    overall.learnt === "form" ? " Overall in form only: not above always giving the most frequent answer to each kind of question." : "",
    skill.length ? ` Gained in skill: ${list(skill)}.` : gains.length ? "" : " No single error type gained significantly.",
    form.length
      ? h(
          "span",
          { title: "Balanced by answer, these are not shown to be above always giving the most frequent answer" },
          ` Gained in form only, not above the majority answer: ${list(form)}.`,
        )
      : "",
    untold.length ? ` Gained where all gold answers are alike: ${list(untold)}.` : "",
    losses.length ? ` Lost: ${list(losses)}.` : " No error type lost significantly after Holm's correction.",
  ];
}

/** "30 of 39 compared; 9 answered by one only (before)", and what nobody answered. */
export function coverage({ text, none, some, examples }) {
  return h(
    "p",
    { class: some ? "warning" : "dim" },
    text,
    none > 0 && `; ${fmt.number(none)} of ${fmt.number(examples)} eval examples answered by none`,
    ".",
    some > 0 && " What only some answered is in no figure here: evaluate the rest to compare it.",
  );
}
