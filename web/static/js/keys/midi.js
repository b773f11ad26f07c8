/** MIDI keyboards, by Web MIDI. */

const [NOTE_OFF, NOTE_ON] = [0x80, 0x90];

/** What a MIDI message does to a note; null for every other message.
 * @param {Uint8Array} message @returns {{midi: number, loudness: number} | null} loudness: 0–1, 0 at its end */
export function readMessage([status, midi, velocity]) {
  const kind = status & 0xf0;
  if (kind !== NOTE_ON && kind !== NOTE_OFF) return null;
  // A key's velocity goes as the square root of a sound's power; a picture's level as the fourth root of its amplitude.
  return { midi, loudness: kind === NOTE_ON ? Math.sqrt(velocity / 127) : 0 };
}

/**
 * Asks for the visitor's MIDI keyboards, which the browser may do only after a click, and listens to those that are
 * there and those that are plugged in later.
 * @param {(message: Uint8Array) => void} receive
 * @param {(names: string[]) => void} changed  which keyboards there are, now and whenever that changes
 * @returns {Promise<void>} @throws {DOMException} the visitor or the browser refuses
 */
export async function connectMidi(receive, changed) {
  const access = await navigator.requestMIDIAccess();
  const listen = () => {
    const connected = [...access.inputs.values()].filter(({ state }) => state === "connected");
    for (const input of connected) input.onmidimessage = ({ data }) => data && receive(data);
    changed(connected.map(({ name }) => name ?? "unnamed"));
  };
  access.onstatechange = listen;
  listen();
}

export const hasMidi = () => "requestMIDIAccess" in navigator;
