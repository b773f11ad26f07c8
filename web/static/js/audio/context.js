/** The page's audio context, and audio files decoded for it. */

/** @type {AudioContext | undefined} */
let shared;

/** Created at the first call; browsers let it sound after a click or a key. */
export function audioContext() {
  shared ??= new AudioContext({ latencyHint: "interactive" });
  if (shared.state === "suspended") void shared.resume();
  return shared;
}

/** @param {Blob} blob @returns {Promise<AudioBuffer>} */
export const decode = async (blob) => audioContext().decodeAudioData(await blob.arrayBuffer());
