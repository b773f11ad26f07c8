/** The playground: ties prompt, stage, tools and history together. */

import { Problem, getJson, upload } from "./api.js";
import { Bench } from "./bench.js";
import { Composer } from "./composer.js";
import { find } from "./dom.js";
import { CANVAS, Drawing } from "./draw.js";
import { Ideas } from "./ideas.js";
import { JamRoom } from "./jamroom.js";
import { drawLineage } from "./lineage.js";
import { refusal } from "./messages.js";
import { receiveFiles } from "./opening.js";
import { wireMenus } from "./menus.js";
import { askPartner } from "./partners.js";
import { toPng } from "./picture.js";
import { Player } from "./player.js";
import { drawSeed } from "./prompts.js";
import * as requests from "./requests.js";
import { saveAs, share } from "./saving.js";
import { BoxSelect } from "./select.js";
import { showServer } from "./server.js";
import { Spectrogram } from "./spectrogram.js";
import { wireTransport } from "./transport.js";
import { Workshop } from "./workshop.js";

/** @typedef {import("./history.js").Clip} Clip */
/** @typedef {import("./workshop.js").Kin} Kin */

const IDEAS = 4;
const EXTEND_S = 5;
const ONE_WINDOW_S = 5.5; // longer sounds are sung window by window

const workshop = new Workshop();
const player = new Player();
const composer = new Composer(find("#composer"));
const stage = new Spectrogram(find("#workbench .stage"));
const bench = new Bench(stage, player, workshop);
const box = new BoxSelect(stage, find("#repaint"));
const drawing = new Drawing(stage, find("#draw"));
const ideas = new Ideas(find("#ideas"), workshop);
const jam = new JamRoom(composer, workshop);
const lookAtServer = showServer();
/** Clips asked for since the page was loaded: only these play by themselves. */
const asked = new WeakSet();

/** @returns {"listen" | "repaint" | "draw"} */
const tool = () => find("#tools :checked").value;

/** Runs a gesture; what the server refuses is said in words below the prompt.
 * @param {() => Promise<unknown>} gesture */
async function attempt(gesture) {
  composer.complain("");
  try {
    await gesture();
  } catch (error) {
    composer.complain(refusal(error));
    if (error instanceof Problem) void lookAtServer();
    else reportError(error);
  }
}

/** @param {requests.Request} request @param {Kin} kin */
async function begin(request, kin) {
  const clip = await workshop.make(request, kin);
  asked.add(clip);
  take("listen");
  ideas.hide();
  await bench.put(clip);
  return clip;
}

/** @param {"listen" | "repaint" | "draw"} name */
function take(name) {
  find(`#tools [value=${name}]`).checked = true;
  useTool();
}

function useTool() {
  const now = tool();
  for (const name of ["listen", "repaint", "draw"]) find(`#${name}`).hidden = name !== now;
  stage.lend({ listen: null, repaint: "Spectrogram; type the box into the fields above", draw: CANVAS }[now]);
  stage.root.dataset.tool = now;
  box.active = now === "repaint";
  if (drawing.active && now !== "draw") void bench.put(bench.clip);
  if (drawing.active !== (now === "draw")) drawing.active = now === "draw";
  if (now === "draw") {
    player.pause();
    ideas.hide();
    find("#notice").hidden = true;
  }
  refresh();
}

/** What the buttons say and which of them have something to work on. */
function refresh() {
  const { clip } = bench;
  const done = clip?.status === "done";
  composer.hasClip = clip !== null && clip.status !== "failed";
  composer.go.disabled = clip?.status === "pending" && composer.from === "clip" && tool() === "listen" && !jam.open;
  for (const button of document.querySelectorAll("#verbs button")) /** @type {HTMLButtonElement} */ (button).disabled = !done;
  find("#play").disabled = !player.ready && tool() !== "draw";
  find("#tools [value=repaint]").disabled = !done;
  const word = { listen: composer.from === "nothing" ? "Play" : "Riff", repaint: "Repaint", draw: "Riff on it" }[tool()];
  composer.go.textContent = jam.open ? (jam.running ? "Move there" : "Start") : word;
}

/** @param {Clip} clip @returns {requests.Controls} its own prompt, the dials as they stand */
const dialsFor = (clip) => ({ ...composer.controls, prompt: requests.voice(clip.request).prompt || composer.controls.prompt, seed: null });

async function go() {
  const { controls } = composer;
  if (!controls.prompt) return composer.complain("Say what it should sound like, or roll the dice.");
  if (jam.open) return jam.go();
  const { clip } = bench;
  const kin = { verb: tool() === "repaint" ? "repaint" : "riff", parents: clip ? [clip.id] : [] };
  if (tool() === "draw") {
    const drawn = await workshop.settled(await hear());
    return begin(requests.riff(controls, { job: drawn.id }), { verb: "riff", parents: [drawn.id] });
  }
  if (clip && tool() === "repaint" && box.box) return begin(requests.repaint(controls, { job: clip.id }, box.box), kin);
  if (clip && composer.from === "clip") {
    const long = clip.request.mode === "audio-to-image" && (clip.duration ?? 0) > ONE_WINDOW_S;
    return begin((long ? requests.sing : requests.riff)(controls, { job: clip.id }), kin);
  }
  if (composer.from === "seed") return begin(requests.riff(controls, { seed_image: composer.seedImage }), { verb: "riff" });
  return begin(requests.fromNothing(controls), { verb: "" });
}

async function four() {
  const { controls } = composer;
  if (!controls.prompt) return composer.complain("Say what it should sound like, or roll the dice.");
  const drafts = Array.from({ length: IDEAS }, () => requests.draft(controls, drawSeed()));
  const clips = await workshop.makeAll(drafts, { verb: "", draft: true });
  take("listen");
  await bench.put(null);
  find("#notice").hidden = true;
  ideas.show(clips);
}

/** The drawing as sound. A drawing that was heard and not touched since is not made again. */
async function hear() {
  if (bench.clip && !drawing.touched) return bench.clip;
  const picture = /** @type {import("./picture.js").Picture} */ (stage.picture);
  const { id } = await upload(await toPng(picture), "drawing.png");
  const clip = await workshop.make(requests.sound({ upload: id }), { verb: "draw", parents: bench.clip ? [bench.clip.id] : [] });
  drawing.touched = false;
  bench.clip = clip;
  return clip;
}

function toggle() {
  if (tool() !== "draw" || (player.ready && !drawing.touched) || player.playing) return player.toggle();
  void attempt(async () => {
    const clip = await workshop.settled(await hear());
    if (clip.error) return composer.complain(clip.error);
    player.load(await workshop.sound(clip));
    player.play();
  });
}

/** @type {Record<string, (clip: Clip) => Promise<unknown>>} */
const verbs = {
  vary: (clip) => {
    const again = requests.vary(clip.request);
    const request = again === clip.request ? requests.riff(dialsFor(clip), { job: clip.id }) : again;
    return begin(request, { verb: "vary", parents: [clip.id] });
  },
  extend: (clip) =>
    begin(requests.extend(dialsFor(clip), { job: clip.id }, EXTEND_S), { verb: "extend", parents: [clip.id] }),
  loop: (clip) => {
    player.loop = true;
    return begin(requests.loop(dialsFor(clip), { job: clip.id }), { verb: "loop", parents: [clip.id] });
  },
  blend: async (clip) => {
    const others = [...workshop.clips.values()].filter((other) => other.status === "done" && other !== clip).reverse();
    if (!others.length) return composer.complain("Blending takes two clips. Make another one first.");
    const choice = await askPartner(find("#blend"), others);
    if (!choice) return;
    const request = requests.blend(composer.controls, clip, choice.partner, { job: clip.id }, choice.alpha);
    await begin(request, { verb: "blend", parents: [clip.id, choice.partner.id] });
  },
  share,
};

function wire() {
  wireMenus();
  wireTransport(player, stage, toggle);
  composer.addEventListener("go", () => void attempt(async () => go()));
  composer.addEventListener("four", () => void attempt(async () => four()));
  composer.addEventListener("change", refresh);
  bench.addEventListener("change", () => {
    refresh();
    showHistory();
  });
  player.addEventListener("change", refresh);
  find("#tools").addEventListener("change", useTool);
  find("#cancel").addEventListener("click", () => bench.clip && void attempt(() => workshop.cancel(/** @type {Clip} */ (bench.clip))));
  find("#again").addEventListener("click", () => {
    const { clip } = bench;
    if (clip) void attempt(() => begin(clip.request, { verb: clip.verb, parents: clip.parents }));
  });
  find("#verbs").addEventListener("click", (/** @type {MouseEvent} */ event) => {
    const { verb, save } = /** @type {HTMLElement} */ (event.target).dataset;
    const { clip } = bench;
    if (clip && verb) void attempt(() => verbs[verb](clip));
    if (clip && save) void attempt(() => saveAs(clip, save, workshop));
  });
  ideas.addEventListener("pick", (event) => void open(/** @type {CustomEvent} */ (event).detail, { keepIdeas: true }));
  ideas.addEventListener("finish", (event) => {
    const draft = /** @type {CustomEvent<Clip>} */ (event).detail;
    const request = requests.finish(draft.request, composer.controls);
    void attempt(() => begin(request, { verb: "finish", parents: [draft.id] }));
  });
  workshop.addEventListener("change", (event) => {
    const clip = /** @type {CustomEvent<Clip | undefined>} */ (event).detail;
    showHistory();
    if (clip && clip === bench.clip && clip.status !== "pending" && tool() !== "draw") {
      void bench.put(clip, { play: asked.has(clip) }).then(refresh);
    }
  });
  jam.addEventListener("change", refresh);
  jam.addEventListener("open", () => player.pause());
  addEventListener("themechange", showHistory);
  receiveFiles({
    recipe: (recipe) => {
      composer.fill(recipe);
      composer.complain("That file’s recipe is on the dials now. Press Play to make it again.");
    },
    file: (file, kind) =>
      void attempt(async () => {
        const { id } = await upload(file, file.name);
        const made = kind === "sound" ? requests.picture({ upload: id }) : requests.sound({ upload: id });
        await begin(made, { verb: "" });
        composer.complain("");
      }),
    unknown: (file) => composer.complain(`${file.name} is neither a sound nor a picture.`),
  });
}

/** @param {Clip} clip @param {{keepIdeas?: boolean}} [options] */
async function open(clip, { keepIdeas = false } = {}) {
  take("listen");
  if (!keepIdeas) ideas.hide();
  await bench.put(clip, { play: true });
}

function showHistory() {
  drawLineage(find("#lineage"), [...workshop.clips.values()], {
    current: bench.clip,
    pick: (clip) => void open(clip),
    drop: (clip) => {
      if (clip === bench.clip) void bench.put(null);
      void workshop.drop(clip);
    },
  });
}

/** A link that brings a shared clip's recipe: /?remix=<share id>. */
async function remix() {
  const id = new URLSearchParams(location.search).get("remix");
  if (id) composer.fill((await getJson(`/clips/${encodeURIComponent(id)}.json`)).request);
}

wire();
useTool();
await workshop.open();
const last = [...workshop.clips.values()].findLast((clip) => clip.status !== "failed" && !clip.draft);
if (last) await bench.put(last);
await attempt(remix);
