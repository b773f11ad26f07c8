/** Example prompts, and random ones of words that are frequent in captions of music. */

export const EXAMPLES = [
  "slow jazz piano solo",
  "funk bassline with drums",
  "church bells",
  "sad violin melody, 72 bpm",
  "bossa nova guitar chords",
  "techno beat, 128 bpm",
  "happy folk accordion",
  "deep house synth lead",
];

// biome-ignore format: a list of words
const STYLES = [
  "rock", "indie pop", "funk", "disco", "smooth jazz", "blues", "minimal techno", "deep house", "lo-fi", "boom bap",
  "drum and bass", "dub", "bossa nova", "celtic folk", "bluegrass", "baroque", "cinematic", "latin jazz", "bebop",
];
// biome-ignore format: a list of words
const INSTRUMENTS = [
  "grand piano", "rhodes", "hammond organ", "accordion", "acoustic guitar", "distorted guitar", "banjo", "fiddle",
  "string orchestra", "trumpet", "saxophone", "wooden flute", "choir", "analog synth", "vibraphone", "church bells",
];
const PARTS = ["solo", "melody", "riff", "chords", "with drums", "and bass", "with a full band", "over a bassline"];
const MOODS = ["slow", "fast", "happy", "sad", "", "", ""];
const TEMPI = ["", "", ", 72 bpm", ", 93 bpm", ", 110 bpm", ", 128 bpm", ", 140 bpm"];

/** @template T @param {T[]} list */
const pick = (list) => list[Math.floor(Math.random() * list.length)];

export const randomPrompt = () =>
  [pick(MOODS), pick(STYLES), pick(INSTRUMENTS), pick(PARTS)].filter(Boolean).join(" ") + pick(TEMPI);
