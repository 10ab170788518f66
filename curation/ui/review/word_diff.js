// What changed between two texts, word by word (longest common subsequence).

import { h } from "../shared/lib.js";

// [{text, kind}] with kind "" (in both), "del" (only before) or "ins" (only after).
export function diff(before, after) {
  const [a, b] = [before, after].map((text) => text.match(/\s+|[^\s]+/g) ?? []);
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
  const parts = [];
  const put = (text, kind) => {
    if (parts.at(-1)?.kind === kind) parts.at(-1).text += text;
    else parts.push({ text, kind });
  };
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      put(a[i++], "");
      j++;
    } else if (j >= b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1])) put(a[i++], "del");
    else put(b[j++], "ins");
  }
  return parts;
}

export const diffElements = (before, after) => diff(before, after).map(({ text, kind }) => (kind ? h(kind, text) : text));
