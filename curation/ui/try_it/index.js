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
  options = null,
  seed = 0;
const now = { image: null, upload: null, address: null, golds: null, question: "", choices: [], suffix: SHORT, exampleId: null };
const entries = []; // questions of this visit, latest first: {question, address, golds, answers: [{checkpoint, answer, error, seconds}]}

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
    const file = state.page() === "try" && [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith("image/"));
    if (file) take(file);
  });
}

const newest = onlyLatest();

export async function show() {
  const answer = await newest(api("try/choices", { seed }));
  if (!answer) return;
  options = answer;
  if (now.exampleId === null && !now.upload && options.examples.length) use(options.examples[0]);
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
  if (!options.checkpoints.length) {
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
    options.examples.length
      ? h(
          "div.grid",
          options.examples.map((example) =>
            cell(example.image, [h("span.q", example.question), h("span.a.dim", [...new Set(example.golds)].join(", "))], {
              chosen: example.example_id === now.exampleId,
              title: `${example.dataset}, ${example.split}: ${example.question}`,
              onclick: () => {
                use(example);
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
      ...options.suffixes.filter((row) => row.prompt_suffix).map((row) => [row.prompt_suffix, row.prompt_suffix]),
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
        .map((choice) => choice.trim())
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
          pick(options.checkpoints, first, (value) => state.set({ a: value }, { replace: true }), { title: "Checkpoint" }),
          h("span.dim", "and"),
          pick(
            [{ value: "", text: "no second checkpoint" }, ...options.checkpoints],
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
  const names = options.checkpoints;
  const first = names.find((name) => name === state.one("a")) ?? options.of_round ?? names[0];
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
  entries.unshift(entry);
  drawAnswers();
  const body = { question: now.question, choices: now.choices, suffix: now.suffix, image: now.image, upload: now.upload };
  for (const result of entry.answers) {
    try {
      Object.assign(result, await api("try/ask", { ...body, checkpoint: result.checkpoint }, { quiet: true }));
    } catch (error) {
      result.error = error.message;
    }
    drawAnswers();
  }
}

function drawAnswers() {
  fillOnce(
    at(root, "answers"),
    entries,
    () =>
      entries.length > 0 && [
        h("h4", { style: "margin-top:18px" }, "Answers"),
        h(
          "div.card",
          entries.map((entry) =>
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

const answer = (result) =>
  h(
    "div",
    h(
      "small.dim",
      result.checkpoint,
      result.seconds !== undefined && ` · ${result.seconds < 1 ? `${Math.round(1000 * result.seconds)} ms` : fmt.duration(result.seconds)}`,
      result.load_seconds > 0.5 && ` · loaded in ${fmt.duration(result.load_seconds)}`,
    ),
    result.error
      ? h("div.err", result.error)
      : result.answer === undefined
        ? h("div.dim", "Asking…")
        : h("b", { title: result.text }, result.answer || h("span.faint", fmt.answer(""))),
  );
