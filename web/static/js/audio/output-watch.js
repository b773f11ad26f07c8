/** Notices when the audio clock stands still although something plays, as in a browser without a sound device. */

import { audioContext } from "./context.js";

const TICK_MS = 400;
const STALLED = 3; // ticks; a device may take a second to start

/**
 * @param {() => boolean} playing  whether something should be heard
 * @param {(stalled: boolean) => void} report  called at each tick, and once when nothing plays any more
 * @returns {() => void} to be called when something starts to play
 */
export function watchOutput(playing, report) {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  let last = 0;
  let still = 0;
  const tick = () => {
    const now = audioContext().currentTime; // which resumes a context that is suspended
    still = playing() && now === last ? still + 1 : 0;
    last = now;
    report(still >= STALLED);
    if (playing()) return;
    clearInterval(timer);
    timer = undefined;
  };
  return () => {
    if (playing()) timer ??= setInterval(tick, TICK_MS);
  };
}
