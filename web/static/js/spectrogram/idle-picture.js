/** The picture of an empty spectrogram: a short tune, drawn with the page's brushes. */

import { dab } from "./brush.js";
import { heightOf, hzOfMidi } from "./mel.js";
import { blank } from "./picture.js";

const TUNE = [57, 64, 69, 72, 71, 64, 67, 62, 57, 60, 64, 69, 67, 64, 62, 57]; // MIDI numbers, one for each sixteenth note
const NOTE_LENGTH = 0.8; // of the time to the next note

export function idlePicture() {
  const picture = blank(512, 512);
  TUNE.forEach((midi, n) => {
    const start = (n + 0.4) / TUNE.length;
    for (let x = 0; x < NOTE_LENGTH / TUNE.length; x += 1 / 256) {
      const loudness = 0.85 - x * 8;
      dab(picture, { kind: "harmonics", size: 4, loudness }, start + x, heightOf(hzOfMidi(midi)));
    }
    if (n % 4 === 0) dab(picture, { kind: "hit", size: 6, loudness: 0.7 }, start, 0.04);
    if (n % 4 === 2) dab(picture, { kind: "hit", size: 14, loudness: 0.45 }, start, 0.75);
  });
  return picture;
}
