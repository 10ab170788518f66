// The prompt of Generate as it will be sent, of the first failure; or what has to be done before there is one.

import { dot, emptyState, fillOnce, fmt, h, picture, promptText, state, zoom } from "../shared/lib.js";

// The request of the first failure, or what has to be done before there is one.
export function drawPrompt(element, { choices, plan, problem }) {
  fillOnce(element, [choices, plan?.prompt, plan?.failures, Boolean(problem)], () => {
    if (problem) return null;
    if (plan?.prompt) return prompt(plan.prompt);
    if (plan?.failures) return null;
    return choices && plan ? nothing(choices) : null;
  });
}

function prompt({ failure_id: failure, image, error_type: type, requests, version }) {
  const routes = { same_image: "same image", new_image: "new image" };
  return [
    h("h4", "Prompt preview"),
    h(
      "div.card.gen-prompt",
      h(
        "div.row",
        h("button.shot", { onclick: () => zoom(image), title: "Enlarge" }, picture(image, "thumb")),
        h(
          "div",
          h("div", "Failure ", h("b", fmt.number(failure)), ", the first"),
          h("div.row.tight", dot(type), h("small.dim", type)),
          h(
            "a.small",
            {
              href: `?page=prompts&prompt=proposal&failure=${failure}`,
              onclick: (event) => {
                event.preventDefault();
                state.go("prompts", { prompt: "proposal", failure });
              },
              title: "See and edit the prompt",
            },
            `proposal.md ${version}`,
          ),
        ),
      ),
      requests.map(({ route, system, user }, i) =>
        h(
          "details",
          { open: i === 0 },
          h("summary", `Route ${routes[route]}`),
          i === 0 && promptText(system, "system"),
          promptText(user, "user, with the image"),
        ),
      ),
    ),
    requests.length > 1 && h("p.small.faint", "Both routes share the system message."),
  ];
}

function nothing(choices) {
  if (!choices.round)
    return emptyState("No checkpoint yet", "Samples are generated from a checkpoint's failures. Start on the Failures page.", {
      text: "Failures",
      run: () => state.go("failures"),
    });
  if (!choices.failures)
    return emptyState("No failures yet", "Evaluate the checkpoint first: its wrong answers on the train split are the failures.", {
      text: "Failures",
      run: () => state.go("failures"),
    });
  if (!choices.diagnosed)
    return emptyState(
      "No diagnoses yet",
      `${fmt.plural(choices.failures, "failure")} not diagnosed yet: ` +
        "samples are generated only for failures that the frontier model answers correctly.",
      { text: "Diagnose them", run: () => state.go("failures") },
    );
  if (!choices.teachable)
    return emptyState(
      "No teachable failures",
      `Of ${fmt.plural(choices.diagnosed, "diagnosed failure")} the frontier model answers none correctly. ` +
        "Diagnose more failures, or use a stronger model.",
      { text: "Failures", run: () => state.go("failures") },
    );
  return emptyState("Empty selection", "None of the selected failures is teachable.", {
    text: "All teachable failures",
    run: () => state.set({ clusters: null, selection: null }),
  });
}
