// Who is told of a change: const changed = listeners(); changed.on(draw); changed.tell(). So a part need not know who draws.

/**
 * @template {unknown[]} T
 * @returns {{on: (listener: (...given: T) => unknown) => void, tell: (...given: T) => void}}
 */
export function listeners() {
  /** @type {Set<(...given: T) => unknown>} */
  const all = new Set();
  return {
    on: (listener) => {
      all.add(listener);
    },
    tell: (...given) => {
      for (const listener of all) listener(...given);
    },
  };
}

// The same, told once when the code that is running has ended, however often it tells: still before the next frame and the next key.
export function batched() {
  const { on, tell } = listeners();
  let waits = false;
  return {
    on,
    tell() {
      if (waits) return;
      waits = true;
      queueMicrotask(() => {
        waits = false;
        tell();
      });
    },
  };
}
