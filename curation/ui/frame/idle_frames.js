// An idle page draws no frames. Gradio's loading indicator asks for the next frame for as long as the page is open
// (6.31, StatusTracker, after it has gone): that takes some percent of a core, and what a key has changed waits for
// the next tick instead of being painted at once.

const SURE = 30; // frames in a row in which just as many others were asked for

// Ends a loop of that kind: the one request that is made between one of ours and the next, time after time, is taken back.
export function endEndlessFrames(others = null, alike = 0) {
  const mine = requestAnimationFrame(() => {
    const next = requestAnimationFrame(() => {});
    cancelAnimationFrame(next);
    const found = next - mine - 1;
    if (found !== others || found > 1) endEndlessFrames(found, 0);
    else if (alike < SURE) endEndlessFrames(found, alike + 1);
    else if (found === 1) cancelAnimationFrame(mine + 1);
  });
}
