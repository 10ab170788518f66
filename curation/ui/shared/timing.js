// When something is done: once typing has stopped, after the next frame, for the newest answer only.

/**
 * Calls f once the calls have stopped for `ms`.
 * @template {unknown[]} T
 * @param {(...given: T) => unknown} f
 * @param {number} [ms]
 * @returns {(...given: T) => void}
 */
export function later(f, ms = 200) {
  /** @type {number | undefined} */
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => f(...given), ms);
  };
}

/**
 * Calls f behind the next frame, or after 60 ms: a tab in the background paints nothing.
 * @param {() => unknown} f
 */
export function afterPaint(f) {
  let run = () => {
    run = () => {};
    f();
  };
  if (!document.hidden) requestAnimationFrame(() => setTimeout(() => run()));
  setTimeout(() => run(), document.hidden ? 0 : 60);
}

/**
 * Tells poll by poll whether a job has ended since: const hasEnded = endings(); hasEnded(workspace).
 * One may begin and end between two polls.
 * @returns {(workspace: {ended: number | null}) => boolean}
 */
export function endings() {
  /** @type {number | null} */
  let last = null;
  return ({ ended }) => {
    const now = ended ?? 0,
      news = last !== null && last !== now;
    last = now;
    return news;
  };
}

/**
 * Shows the newest answer only: const latest = onlyLatest(); const answer = await latest(api(…)); undefined where a newer call was made
 * meanwhile.
 * @returns {<T>(promise: Promise<T>) => Promise<T | undefined>}
 */
export function onlyLatest() {
  let call = 0;
  return async (promise) => {
    const mine = ++call;
    const answer = await promise;
    return mine === call ? answer : undefined;
  };
}
