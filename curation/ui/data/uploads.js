// Files of this computer, sent into the workspace.

import { fmt, h } from "../shared/lib.js";

// Sends files into the workspace, keeping their folders; gives back {path of the first, folder}. `said` tells how far it is.
async function upload(files, report) {
  let batch = "new",
    first = null,
    folder = null;
  for (const [i, file] of [...files].entries()) {
    report(`uploading ${i + 1} of ${files.length}: ${file.name}`);
    const name = (file.webkitRelativePath || file.name).split("/").map(encodeURIComponent).join("/");
    const response = await fetch(new URL(`api/data/upload/${batch}/${name}`, document.baseURI), { method: "POST", body: file });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    batch = answer.batch;
    folder = answer.folder;
    if (!first && /\.(jsonl|csv|tsv|xlsx|json|parquet|arrow|tar)$/i.test(file.name)) first = answer.path;
  }
  const whole = !!files[0]?.webkitRelativePath;
  if (whole) folder += `/${files[0].webkitRelativePath.split("/")[0]}`;
  report(`${fmt.plural(files.length, "file")} uploaded`);
  return { path: first, folder, whole };
}

// Buttons that send files: `got` is given {path, folder, whole}, `report` how far it is.
export function uploader(text, attributes, got, report) {
  const input = h("input", { type: "file", hidden: true, multiple: true, ...attributes });
  input.addEventListener("change", async () => {
    if (!input.files.length) return;
    try {
      got(await upload(input.files, report));
    } catch (error) {
      report(error.message || "the upload was interrupted; try again");
    }
    input.value = "";
  });
  return [input, h("button.btn", { onclick: () => input.click() }, text)];
}
