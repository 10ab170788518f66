// The Try it page: a picture and a question (left), answers of one checkpoint or two below, examples to start from (right).

import {
  api,
  at,
  cell,
  chip,
  drawer,
  emptyState,
  fill,
  fillOnce,
  fmt,
  h,
  keys,
  media,
  onlyLatest,
  pick,
  state,
  toast,
} from "../shared/lib.js";

const SHORT = "Answer the question using a single word or phrase.";
let root,
  examples,
  found = null,
  seed = 0;
const now = { image: null, upload: null, address: null, golds: null, question: "", choices: [], suffix: SHORT, exampleId: null };
const told = []; // questions of this visit, latest first: {question, address, golds, answers: [{checkpoint, answer, error, seconds}]}

keys("try", [
  { name: "others", key: "n", what: "show other examples", run: more },
  { name: "upload", key: "o", what: "choose an image", run: () => root.querySelector("input[type=file]").click() },
]);

export function start(element) {
  root = element;
  examples = drawer(root.querySelector(".cols"), "Examples");
  fill(at(root, "actions"), examples.button);
  fill(at(root, "more"), h("button.btn", { onclick: more, title: "Show other examples" }, "Shuffle", h("kbd", "n")));
  addEventListener("paste", (event) => {
    const file = state.page() === "try" && [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (file) take(file);
  });
}

const newest = onlyLatest();

export async function show() {
  const answer = await newest(api("try/choices", { seed }));
  if (!answer) return;
  found = answer;
  if (now.exampleId === null && !now.upload && found.examples.length) use(found.examples[0]);
  draw();
}

function more() {
  seed += 1;
  show();
}

function use(example) {
  Object.assign(now, {
    image: example.image,
    upload: null,
    address: media(example.image, "large"),
    golds: [...new Set(example.golds)],
    question: example.question,
    choices: example.choices,
    suffix: example.prompt_suffix,
    exampleId: example.example_id,
  });
}

async function take(file) {
  const response = await fetch(new URL("api/try/picture", document.baseURI), { method: "POST", body: file });
  const answer = await response.json();
  if (!response.ok) return toast(answer.error, { kind: "bad" });
  Object.assign(now, { upload: answer.upload, image: null, address: URL.createObjectURL(file), golds: null, choices: [], exampleId: 0 });
  draw();
  root.querySelector("textarea").select();
}

function draw() {
  if (!found.checkpoints.length) {
    fill(
      root.querySelector(".ask"),
      emptyState("No model yet", "Add a checkpoint first; pocket-llava is built in.", {
        text: "Go to Data & models",
        run: () => state.go("data"),
      }),
    );
    return;
  }
  drawPicture();
  drawQuestion();
  drawAnswers();
  fill(
    at(root, "examples"),
    found.examples.length
      ? h(
          "div.grid",
          found.examples.map((one) =>
            cell(one.image, [h("span.q", one.question), h("span.a.dim", [...new Set(one.golds)].join(", "))], {
              chosen: one.example_id === now.exampleId,
              title: `${one.dataset}, ${one.split}: ${one.question}`,
              onclick: () => {
                use(one);
                examples.close();
                draw();
              },
            }),
          ),
        )
      : h("p.dim", "Examples appear here once a dataset is imported."),
  );
}

function drawPicture() {
  const input = h("input", { type: "file", accept: "image/*", hidden: true, onchange: () => input.files[0] && take(input.files[0]) });
  const box = h(
    "button.drop",
    { class: now.address ? "has" : "", title: "Choose, drop or paste an image", onclick: () => input.click() },
    now.address ? h("img", { src: now.address, alt: "chosen image" }) : "Choose, drop or paste an image",
  );
  for (const [name, over] of [
    ["dragover", true],
    ["dragleave", false],
    ["drop", false],
  ])
    box.addEventListener(name, (event) => {
      event.preventDefault();
      box.classList.toggle("over", over);
      if (name === "drop" && event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
    });
  fill(at(root, "picture"), input, box, h("small.dim", "Click, drop or paste to change it ", h("kbd", "o")));
}

function drawQuestion() {
  const [first, second] = asked();
  const suffixes = [
    ...new Map([
      ["", "no suffix"],
      [SHORT, "a single word or phrase"],
      ...found.suffixes.filter((one) => one.prompt_suffix).map((one) => [one.prompt_suffix, one.prompt_suffix]),
    ]),
  ].map(([value, text]) => ({ value, text }));
  const question = h("textarea.in", {
    rows: 2,
    placeholder: "What color is the bus?",
    "aria-label": "Question",
    oninput: () => {
      now.question = question.value;
    },
    onkeydown: (event) => {
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        ask();
      }
    },
  });
  question.value = now.question;
  const choices = h("input.in", {
    value: now.choices.join(" | "),
    placeholder: "none; for multiple choice: red | blue | green",
    "aria-label": "Choices",
    oninput: () => {
      now.choices = choices.value
        .split("|")
        .map((one) => one.trim())
        .filter(Boolean);
    },
  });
  fill(
    at(root, "question"),
    h(
      "div.fields",
      h("label", "Question", question),
      h("label", "Choices", choices),
      h(
        "label",
        "Prompt suffix",
        h(
          "span",
          pick(
            suffixes,
            now.suffix,
            (value) => {
              now.suffix = value;
            },
            { title: "Prompt suffix" },
          ),
        ),
      ),
      h(
        "label",
        "Ask",
        h(
          "span.who",
          pick(found.checkpoints, first, (value) => state.set({ a: value }, { replace: true }), { title: "Checkpoint" }),
          h("span.dim", "and"),
          pick(
            [{ value: "", text: "no second checkpoint" }, ...found.checkpoints],
            second,
            (value) => state.set({ b: value || "none" }, { replace: true }),
            { title: "Second checkpoint" },
          ),
        ),
      ),
      h(
        "div.row",
        now.golds && chip(["gold: ", now.golds.join(", ")], { kind: "ok", title: "Gold answers" }),
        h("span.grow"),
        h("small.dim", "The first question loads the weights, which takes a moment"),
        h("button.btn.p", { onclick: ask }, "Ask", h("kbd", "enter")),
      ),
    ),
  );
}

// The one or two checkpoints of the URL; at first the newest one and the round's.
function asked() {
  const names = found.checkpoints;
  const first = names.find((name) => name === state.one("a")) ?? found.of_round ?? names[0];
  const other =
    state.one("b") === "none" ? "" : (names.find((name) => name === state.one("b")) ?? names.filter((name) => name !== first).at(-1) ?? "");
  return [names.includes(first) ? first : names[0], other];
}

async function ask() {
  if (!now.question.trim()) return toast("Write a question first", { kind: "bad" });
  if (!now.address) return toast("Choose an image first", { kind: "bad" });
  const names = [...new Set(asked().filter(Boolean))];
  const entry = {
    question: now.question,
    choices: now.choices,
    address: now.address,
    golds: now.golds,
    answers: names.map((checkpoint) => ({ checkpoint })),
  };
  told.unshift(entry);
  drawAnswers();
  const body = { question: now.question, choices: now.choices, suffix: now.suffix, image: now.image, upload: now.upload };
  for (const one of entry.answers) {
    try {
      Object.assign(one, await api("try/ask", { ...body, checkpoint: one.checkpoint }, { quiet: true }));
    } catch (error) {
      one.error = error.message;
    }
    drawAnswers();
  }
}

function drawAnswers() {
  fillOnce(
    at(root, "answers"),
    told,
    () =>
      told.length > 0 && [
        h("h4", { style: "margin-top:18px" }, "Answers"),
        h(
          "div.card",
          told.map((entry) =>
            h(
              "div.answered",
              h("img", { src: entry.address, alt: "" }),
              h(
                "div",
                h(
                  "div",
                  entry.question,
                  entry.choices.length > 0 && h("span.dim", `  ${fmt.choices(entry.choices)}`),
                  entry.golds && [" ", chip(["gold: ", entry.golds.join(", ")], { kind: "ok" })],
                ),
                h("div.two", entry.answers.map(answer)),
              ),
            ),
          ),
        ),
      ],
  );
}

const answer = (one) =>
  h(
    "div",
    h(
      "small.dim",
      one.checkpoint,
      one.seconds !== undefined && ` · ${one.seconds < 1 ? `${Math.round(1000 * one.seconds)} ms` : fmt.duration(one.seconds)}`,
      one.load_seconds > 0.5 && ` · loaded in ${fmt.duration(one.load_seconds)}`,
    ),
    one.error
      ? h("div.err", one.error)
      : one.answer === undefined
        ? h("div.dim", "Asking…")
        : h("b", { title: one.text }, one.answer || h("span.faint", fmt.answer(""))),
  );
