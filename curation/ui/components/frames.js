// An idle page draws no frames. Gradio's loading indicator asks for the next frame for as long as the page is open (6.31, StatusTracker, after it
// has gone): that takes some percent of a core, and what a key has changed waits for the next tick instead of being painted at once.

const SURE = 30; // frames in a row in which somebody has asked for just one more

// Ends a loop of that kind: the one request that is made between one of ours and the next, time after time, is taken back.
export function endEndlessFrames(left = SURE, tries = 10 * SURE) {
  const mine = requestAnimationFrame(() => {
    const next = requestAnimationFrame(() => {});
    cancelAnimationFrame(next);
    if (next - mine !== 2) return tries && endEndlessFrames(SURE, tries - 1);
    if (left) return endEndlessFrames(left - 1, tries - 1);
    cancelAnimationFrame(mine + 1);
  });
}
