/** The page's audio context, and audio files decoded for it. */

/** @type {AudioContext | undefined} */
let shared;

/** Created at the first call; browsers let it sound after a click or a key. */
export function audioContext() {
  shared ??= new AudioContext({ latencyHint: "interactive" });
  if (shared.state === "suspended") void shared.resume();
  return shared;
}

/** The time of what is heard now, in s: sound takes a while to the loudspeakers. */
export function heardTime() {
  const context = audioContext();
  return context.currentTime - (context.outputLatency || 0);
}

/** @param {Blob} blob @returns {Promise<AudioBuffer>} */
export const decode = async (blob) => audioContext().decodeAudioData(await blob.arrayBuffer());
