// A sample that a person writes: a picture of a failure or another train example, or one of their own, with a question and an answer.

import {
  ApiError,
  api,
  dialog,
  eventId,
  fill,
  fmt,
  h,
  later,
  media,
  offeredTypes,
  onlyLatest,
  pick,
  picture,
  toast,
} from "../shared/lib.js";
import { openSample } from "./actions.js";
import { card as cardNow } from "./state.js";

export async function openByHand() {
  const event_id = eventId();
  const beside = cardNow();
  const origin = beside?.origin;
  const chosen = {
    image: origin?.image ?? null,
    failure_id: origin?.failure_id ?? null,
    error_type: beside?.error_type ?? null,
    dataset: beside?.dataset ?? null,
  };
  const shot = h("div.rev-hand-shot");
  const matches = h("div.rev-hand-found");
  const field = (name, hint, tag = "input.in") => h(tag, { placeholder: hint, "aria-label": name, autocomplete: "off" });
  const question = field("Question", "Question about the image");
  const answer = field("Answer", "Correct answer in the dataset's format; the letter if there are choices");
  const choices = field("Choices", "One per line; empty for none", "textarea.in");
  choices.rows = 2;
  const search = field("Search", "Search questions, or enter a failure number");
  const file = h("input", {
    type: "file",
    accept: "image/png,image/jpeg,image/webp,image/gif,image/bmp",
    hidden: true,
    onchange: () => file.files[0] && upload(file.files[0]),
  });
  const selects = h("div.row.wrap");
  let datasets = [];
  const newest = onlyLatest();

  const drawChosen = () => {
    fill(shot, chosen.image ? h("img", { src: media(chosen.image, "card"), alt: "" }) : h("span.dim", "no image selected"));
    const dataset = datasets.find((entry) => entry.name === chosen.dataset);
    fill(
      selects,
      h("span.dim", "Error type"),
      pick([{ value: "", text: "choose" }, ...offeredTypes().map((type) => type.name)], chosen.error_type, (value) => {
        chosen.error_type = value || null;
      }),
      h("span.dim", "Dataset"),
      pick([{ value: "", text: "choose" }, ...datasets.map((entry) => entry.name)], chosen.dataset, (value) => {
        chosen.dataset = value || null;
        drawChosen();
      }),
      dataset && h("small.dim", `answer format: ${dataset.answer_form}`),
    );
    for (const cell of matches.querySelectorAll("button")) cell.classList.toggle("sel", cell.dataset.image === chosen.image);
  };
  const look = async () => {
    const text = search.value.trim();
    const number = /^\d+$/.test(text);
    const answer = await newest(api("review/pictures", number ? { failure_id: Number(text) } : { search: text || null }));
    if (!answer) return;
    datasets = answer.datasets;
    fill(
      matches,
      answer.pictures.length
        ? answer.pictures.map((row) =>
            h(
              "button.rev-small",
              {
                title: `${row.failure_id ? `Failure ${fmt.number(row.failure_id)}: ` : ""}${row.question}`,
                dataset: { image: row.image },
                onclick: () => {
                  Object.assign(chosen, {
                    image: row.image,
                    failure_id: row.failure_id,
                    dataset: row.dataset ?? chosen.dataset,
                    error_type: row.error_type ?? chosen.error_type,
                  });
                  drawChosen();
                },
              },
              picture(row.image, "thumb"),
            ),
          )
        : h("p.dim", "No matching train images. Change the search, or upload an image."),
    );
    drawChosen();
  };
  const upload = async (picked) => {
    try {
      const response = await fetch(new URL(`api/review/upload?name=${encodeURIComponent(picked.name)}`, document.baseURI), {
        method: "POST",
        headers: { "Content-Type": "application/octet-stream" },
        body: picked,
      });
      const text = await response.json();
      if (!response.ok) throw new ApiError(text.error, response.status);
      Object.assign(chosen, { image: text.image, failure_id: null });
      drawChosen();
    } catch (error) {
      toast(error instanceof ApiError ? error.message : `${picked.name} was not uploaded: the app does not respond.`, { kind: "bad" });
    }
  };
  const add = async () => {
    const body = {
      ...chosen,
      event_id,
      question: question.value,
      answer: answer.value,
      choices: choices.value
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean),
    };
    try {
      const card = await api("review/by_hand", body);
      toast(`Sample ${fmt.number(card.sample_id)} added. Filters check it on their next run; you can approve it now.`, {
        kind: "good",
        seconds: 6,
      });
      await openSample(card.sample_id);
    } catch {
      return false;
    }
  };
  search.addEventListener("input", later(look, 250));
  const label = (text, ...content) => h("div.field", h("label", text), h("div", content));
  dialog(
    "Write a sample",
    [
      h(
        "div.rev-hand",
        shot,
        h("div.form", label("Question", question), label("Choices", choices), label("Answer", answer), label("", selects)),
      ),
      h("h4", "Image"),
      h("div.row", search, h("button.btn", { onclick: () => file.click() }, "Upload…"), file),
      matches,
    ],
    [{ text: "Cancel" }, { text: "Add", kind: "p", run: add }],
    { wide: true },
  );
  question.focus();
  drawChosen();
  await look();
}
