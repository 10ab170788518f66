// A prompt on one failure: the request word for word, what it would cost, and the reply once it was asked.

import { hostText, mayLeave } from "../shared/host_consent.js";
import { api, chip, dot, emptyState, fillOnce, fmt, h, onlyLatest, pick, picture, promptText, state, zoom } from "../shared/lib.js";
import { previewChanged } from "./state.js";

const ROUTES = [
  { value: "same_image", text: "same image" },
  { value: "new_image", text: "new image" },
];
const DIFFICULTIES = [
  { value: "as_seed", text: "as the seed" },
  { value: "easier", text: "easier" },
  { value: "harder", text: "harder" },
];

let parts;
let failures = { name: null, rows: [] };
let shownFor = null;
let preview = null; // the preview
let problem = null;
let reply = null; // {body, answer}
let asking = false;
let body = null;

const newest = onlyLatest();

export async function drawPreview(elements, prompt, draft) {
  parts = elements;
  if (failures.name !== prompt.name) {
    failures = { name: prompt.name, rows: await api("prompts/failures", { name: prompt.name }) };
    if (state.page() !== "prompts") return;
  }
  const failure = Number(state.one("failure")) || failures.rows[0]?.failure_id;
  body = draft && failure ? { ...draft, failure_id: failure, route: state.one("route") ?? "same_image", options: options(prompt) } : null;
  const mark = JSON.stringify(body);
  if (mark !== shownFor && body) {
    shownFor = mark;
    try {
      const answer = await newest(api("prompts/preview", body, { quiet: true }));
      if (!answer) return;
      [preview, problem] = [answer, null];
    } catch (error) {
      if (mark !== shownFor) return;
      [preview, problem] = [null, error.message];
    }
  }
  if (state.one("tab") !== "compare") draw(prompt, draft, failure);
}

const options = (prompt) => (prompt.name === "proposal" ? { per_failure: 3, difficulty: state.one("difficulty") ?? "as_seed" } : {});

// The next failure of the list, or the one before.
export function step(by) {
  const { rows } = failures;
  if (!rows.length || state.one("tab")) return;
  const now = rows.findIndex((row) => row.failure_id === (Number(state.one("failure")) || rows[0].failure_id));
  state.set({ failure: rows[(now + by + rows.length) % rows.length].failure_id }, { replace: true });
}

function draw(prompt, draft, failure) {
  const { rows } = failures;
  const stale = reply && JSON.stringify(reply.body) !== JSON.stringify(body);
  fillOnce(parts.note, "preview", () => "");
  fillOnce(
    parts.actions,
    [rows.length > 0, "preview"],
    () =>
      rows.length > 0 && [
        h("button.btn.icon", { onclick: () => step(-1), title: "Previous failure (k)", "aria-label": "Previous failure" }, "‹"),
        h("button.btn.icon", { onclick: () => step(1), title: "Next failure (j)", "aria-label": "Next failure" }, "›"),
      ],
  );
  fillOnce(parts.body, ["preview", prompt.name, preview, problem, Boolean(draft), failure, stale, reply?.answer, location.search], () => {
    if (!rows.length && !failure) return nothing(prompt);
    if (!draft) return h("div.card.bad", h("p.err", "The prompt has errors: fix the marked lines first."));
    if (problem) return h("div.card.bad", h("p.err", problem));
    if (!preview) return h("p.dim", "…");
    return [about(preview, prompt), choices(prompt), reply && !stale && answered(prompt, reply.answer), request(preview)];
  });
  const can = Boolean(draft && preview && !problem);
  parts.foot.hidden = !rows.length;
  fillOnce(parts.foot, ["preview", can, preview?.usd, preview?.calls, preview?.endpoint, asking], () => [
    h("button.btn.p.ask", { disabled: !can || asking, onclick: ask }, asking ? "Asking…" : "Ask", h("kbd", "b")),
    can &&
      h(
        "small",
        preview.calls
          ? `${preview.blind_first ? "2 calls (blind answer first)" : "1 call"} · ${price(preview)}`
          : "in the journal: no cost",
      ),
    h("span.grow"),
    can && preview.calls > 0 && h("small.faint.clip", `${preview.endpoint.model} ${hostText(preview.endpoint.host)}`),
  ]);
}

const price = ({ usd, endpoint }) => (endpoint.endpoint === "pocket-teacher" ? "free" : fmt.usdRange(usd));

function nothing(prompt) {
  const proposal = prompt.name === "proposal";
  return emptyState(
    proposal ? "No teachable failure" : "No failures yet",
    proposal
      ? "Samples are generated for diagnosed failures that the frontier model answers correctly."
      : "Evaluate a checkpoint first: prompts are tried on its failures.",
    { text: "Failures", run: () => state.go("failures") },
  );
}

function choices(prompt) {
  if (prompt.name !== "proposal") return null;
  return h(
    "div.row.wrap",
    { style: "margin:10px 0 0" },
    h("small.dim", "Route"),
    pick(ROUTES, state.one("route") ?? "same_image", (value) => state.set({ route: value }, { replace: true }), { title: "Route" }),
    h("small.dim", "Difficulty"),
    pick(DIFFICULTIES, state.one("difficulty") ?? "as_seed", (value) => state.set({ difficulty: value }, { replace: true }), {
      title: "Difficulty",
    }),
  );
}

// The failure, or of a filter's prompt the sample that is shown in its place.
export function about(row) {
  const asked = row.asked ?? row;
  return h(
    "div.card.request",
    h("button.shot", { onclick: () => zoom(asked.image), title: "Enlarge" }, picture(asked.image, "card")),
    h(
      "div",
      h("div", asked.question),
      asked.choices.length > 0 && h("small.dim", fmt.choices(asked.choices)),
      row.asked
        ? h("div", h("span.right", row.asked.proposed), h("small.faint", ` proposed: ${row.asked.of}`))
        : h(
            "div",
            h("span.right", row.golds),
            h("span.faint", " gold · "),
            h("span.wrong", row.answer || "(no answer)"),
            h("span.faint", " model"),
          ),
      h(
        "div.row",
        dot(row.error_type),
        h("small.dim", `${row.error_type ?? "not diagnosed"} · failure ${row.failure_id} · ${row.dataset}`),
      ),
    ),
  );
}

function request({ system, user, pictures, schema_name: name, schema, version, blind_first: first }) {
  return [
    h("h4", "Request preview"),
    first && h("p.small.dim", "This failure is not diagnosed yet: the frontier model's blind answer is requested first and replaces ‹…›."),
    h(
      "div.card",
      { dataset: { request: "" } },
      h("small.faint", `version ${version}`),
      promptText(system, "system"),
      promptText(user, pictures ? "user, with the image above" : "user, without an image"),
      h("details", h("summary", `Reply in JSON: ${name}`), h("div.mono", JSON.stringify(schema, null, 1))),
    ),
  ];
}

function answered(prompt, { result, error, bought, usd, seconds }) {
  const cost = bought
    ? `${fmt.plural(bought, "call")} · ${usd === null ? "unpriced" : usd ? fmt.usd(usd) : "free"} · ${fmt.duration(seconds)}`
    : "from the journal: no new calls";
  return [
    h("h4", "Reply"),
    h(
      "div.card",
      { class: error ? "bad" : "", dataset: { reply: "" } },
      error ? h("p.err", error) : resultOf(prompt, result),
      h("small.faint", cost),
    ),
  ];
}

// A reply as people read it; also used side by side.
export function resultOf({ name }, result) {
  if (!result) return h("span.faint", "no reply yet");
  if (result.problem && !result.error_type) return h("span.err", result.problem);
  if (name === "proposal")
    return [
      result.kept.map((proposed) => proposal(proposed)),
      result.dropped.map((proposed) => proposal(proposed, proposed)),
      !result.kept.length && !result.dropped.length && h("span.faint", "no samples"),
    ];
  if (name === "judge")
    return [chip(String(result.score), { kind: result.score === 3 ? "ok" : result.score === 2 ? "wa" : "no" }), " ", result.reason];
  if (name === "title") return h("b", result.title);
  if (name === "diagnosis") return diagnosis(result);
  const verdict = result.right ?? result.agrees;
  return [
    h("b", result.answer),
    " ",
    verdict === undefined
      ? null
      : chip(verdict ? (result.right === undefined ? "agrees" : "right") : result.right === undefined ? "does not agree" : "wrong", {
          kind: verdict ? "ok" : "no",
        }),
    result.certain && chip("certain"),
  ];
}

function diagnosis(result) {
  const flags = [
    result.gold_looks_wrong && chip("gold looks wrong", { kind: "wa" }),
    result.right_but_misformatted && chip("means the same", { kind: "wa" }),
    chip(result.teachable ? "teachable" : "not teachable", { kind: result.teachable ? "ok" : "" }),
  ];
  const rows = {
    "Error type": h("span.row.wrap", dot(result.error_type), h("b", result.error_type), flags),
    "Faulty reasoning": result.faulty_reasoning,
    "Key elements": result.key_elements.join(", "),
    Image: result.description,
    "Own answer": h(
      "span",
      result.own_answer,
      " ",
      h("span", { class: result.own_right ? "okay" : "err" }, result.own_right ? "right" : "wrong"),
    ),
    Confidence: fmt.fixed(result.confidence, 2),
  };
  return [
    result.problem && h("p.err", result.problem),
    h(
      "dl.kv",
      Object.entries(rows).map(([key, value]) => [h("dt", key), h("dd", value)]),
    ),
  ];
}

function proposal(proposed, dropped = null) {
  const text =
    proposed.choices.length && /^[A-Z]$/.test(proposed.answer)
      ? `${proposed.answer}. ${proposed.choices[proposed.answer.charCodeAt(0) - 65] ?? ""}`
      : proposed.answer;
  return h(
    "div.proposal",
    { class: dropped ? "dropped" : "" },
    h("span.q", proposed.question),
    " ",
    h("span.right", text),
    proposed.image_prompt && h("div.small.dim", proposed.image_prompt),
    proposed.picture_spec &&
      h("div.small.dim", `${proposed.picture_spec.kind} ${proposed.picture_spec.title}`, h("pre.mono.reply", specText(proposed))),
    dropped && h("div.small", chip(dropped.rule, { kind: "no" }), " ", h("span.err", dropped.reason)),
  );
}

const specText = ({ picture_spec: spec, answer_from: from }) => JSON.stringify({ ...spec, ...(from && { answer_from: from }) });

export async function ask() {
  if (asking || !body || !preview || problem || state.one("tab")) return;
  const asked = body;
  if (!(await mayLeave(preview.endpoint.host, "this image, with its question and answers,"))) return;
  asking = true;
  previewChanged.tell();
  try {
    reply = { body: asked, answer: await api("prompts/ask", asked) };
    shownFor = null; // now it is known: asking again costs nothing
  } catch {
    /* the toast has said why */
  } finally {
    asking = false;
    previewChanged.tell();
  }
}
