/** Ten tones in equal steps of hertz, and ten in equal steps of mel: drawn as ladders, and played. */

import { audioContext } from "../audio/context.js";
import { hzOfMel, melOf } from "../spectrogram/mel.js";
import { find } from "../ui/dom.js";

const TONES = 10;
const [LOW, HIGH] = [110, 7040];
const TONE_S = 0.28;
const [LEFT, RIGHT] = [66, 20]; // of the ladders, in CSS pixels

/** @param {number} n */
const inHertz = (n) => LOW + ((HIGH - LOW) * n) / (TONES - 1);
/** @param {number} n */
const inMel = (n) => hzOfMel(melOf(LOW) + ((melOf(HIGH) - melOf(LOW)) * n) / (TONES - 1));
/** @type {Record<string, (n: number) => number>} */
const LADDERS = { hertz: inHertz, mel: inMel };

/** @param {HTMLElement} section */
export function showToneLadders(section) {
  const canvas = /** @type {HTMLCanvasElement} */ (find("canvas", section));
  let sounding = { ladder: "", tone: -1 };
  const draw = () => paintLadders(canvas, sounding);
  new ResizeObserver(draw).observe(canvas);
  addEventListener("themechange", draw);
  for (const button of section.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      const ladder = /** @type {string} */ (button.dataset.steps);
      const context = audioContext();
      for (let n = 0; n < TONES; n++) {
        playTone(context, LADDERS[ladder](n), context.currentTime + 0.05 + n * TONE_S);
        setTimeout(
          () => {
            sounding = { ladder, tone: n };
            draw();
          },
          50 + n * TONE_S * 1000,
        );
      }
      setTimeout(
        () => {
          sounding = { ladder: "", tone: -1 };
          draw();
        },
        50 + TONES * TONE_S * 1000,
      );
    });
  }
}

/** Schedules a tone.
 * @param {AudioContext} context @param {number} hz @param {number} at */
function playTone(context, hz, at) {
  const oscillator = new OscillatorNode(context, { frequency: hz });
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setTargetAtTime(0.2, at, 0.01);
  gain.gain.setTargetAtTime(0, at + TONE_S * 0.7, 0.03);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + TONE_S * 1.5);
}

/** Each ladder on an axis of octaves: evenly spaced rungs sound evenly spaced.
 * @param {HTMLCanvasElement} canvas @param {{ladder: string, tone: number}} sounding */
function paintLadders(canvas, sounding) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const style = getComputedStyle(canvas);
  // In CSS pixels, so that the text is as large on a phone.
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  context.scale(devicePixelRatio, devicePixelRatio);
  context.font = `italic 18px ${style.fontFamily}`;
  const place = (/** @type {number} */ hz) =>
    LEFT + ((width - LEFT - RIGHT) * Math.log2(hz / LOW)) / Math.log2(HIGH / LOW);
  Object.entries(LADDERS).forEach(([name, rung], row) => {
    const y = height * (0.3 + 0.45 * row);
    context.fillStyle = style.color;
    context.fillText(name, 0, y + 6);
    context.fillRect(LEFT - 10, y, width - LEFT - RIGHT + 20, 1);
    for (let n = 0; n < TONES; n++) {
      const x = place(rung(n));
      const on = sounding.ladder === name && sounding.tone === n;
      context.fillStyle = on ? style.accentColor : style.color;
      context.beginPath();
      context.arc(x, y, on ? 10 : 5, 0, 2 * Math.PI);
      context.fill();
    }
  });
  context.fillStyle = style.color;
  context.font = `13px ${style.fontFamily}`;
  context.textAlign = "center";
  for (let hz = LOW; hz <= HIGH; hz *= 2) {
    context.fillText(`${hz}`, place(hz), height - 4);
  }
}
