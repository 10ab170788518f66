// Who is told of a change: const changed = listeners(); changed.on(draw); changed.tell(). So a part need not know who draws.

export function listeners() {
  const all = new Set();
  return {
    on: (listener) => all.add(listener),
    tell: (...given) => {
      for (const listener of all) listener(...given);
    },
  };
}
