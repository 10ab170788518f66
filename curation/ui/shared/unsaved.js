// What pages have not saved yet: who logs out waits for it, or says that they don't want to.

/** @type {(() => Promise<string>)[]} */
const keepers = [];
let isLeaving = false;

/**
 * A page that saves behind the person's back says so once.
 * @param {() => Promise<string>} settle resolves once all is saved, to ""; or as soon as that is known to be impossible now, to what
 *   isn't saved and why
 */
export function keepsUnsaved(settle) {
  keepers.push(settle);
}

/** @returns {Promise<string>} once all is saved, "": else what isn't */
export async function settled() {
  return (await Promise.all(keepers.map((settle) => settle()))).filter(Boolean).join(" ");
}

/** From now on the page may be left with what is unsaved: the person has said so. */
export function leave() {
  isLeaving = true;
}

/** Whether the person has said that the page may be left. */
export const leaving = () => isLeaving;
