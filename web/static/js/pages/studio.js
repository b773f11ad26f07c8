/** The playground: ties prompt, stage, tools and history together. */

import { Problem, getJson, passing, upload } from "../api/http.js";
import { Bench } from "../studio/stage.js";
import { Composer } from "../studio/prompt-form.js";
import { find } from "../ui/dom.js";
import { CANVAS, Drawing } from "../spectrogram/drawing.js";
import { Gestures } from "../studio/actions.js";
import { Ideas } from "../studio/four-ideas.js";
import { JamRoom } from "../jam/jam-view.js";
import { apiKey } from "../api/api-key.js";
import { wireKey } from "../ui/key-dialog.js";
import { drawLineage } from "../clips/lineage.js";
import { lacking, refusal } from "../ui/messages.js";
import { receiveFiles } from "../studio/open-files.js";
import { wireMenus } from "../ui/menus.js";
import { Player } from "../audio/player.js";
import { picture, sound } from "../api/requests.js";
import { saveAs, share } from "../clips/export.js";
import { BoxSelect } from "../studio/repaint-box.js";
import { showServer } from "../ui/server-status.js";
import { Spectrogram } from "../spectrogram/spectrogram-view.js";
import { wireTransport } from "../studio/transport.js";
import { Workshop } from "../clips/clip-store.js";

/** @typedef {import("../clips/history.js").Clip} Clip */

/** @returns {"listen" | "repaint" | "draw"} */
const tool = () => find("#tools :checked").value;

const workshop = new Workshop();
const player = new Player();
const composer = new Composer(find("#composer"));
const stage = new Spectrogram(find("#workbench .stage"));
const bench = new Bench(stage, player, workshop);
const box = new BoxSelect(stage, find("#repaint"));
const drawing = new Drawing(stage, find("#draw"));
const ideas = new Ideas(find("#ideas"), workshop);
const jam = new JamRoom(composer, workshop);
const gestures = new Gestures({ composer, workshop, bench, stage, box, drawing, player, tool });

/** The gesture that was refused for want of a key, while the page asks for one.
 * @type {(() => unknown) | null} */
let barred = null;

/** Runs a gesture; what the server refuses is said in words below the prompt.
 * @param {() => unknown} gesture */
async function attempt(gesture) {
  composer.complain("");
  barred = null;
  try {
    await gesture();
  } catch (error) {
    composer.complain(refusal(error), passing(error));
    if (error instanceof Problem && error.code === "unauthorized") barred = gesture;
    if (!(error instanceof Problem)) reportError(error);
  }
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
  for (const button of document.querySelectorAll("#verbs button"))
    /** @type {HTMLButtonElement} */ (button).disabled = !done;
  find(".save").inert = !done;
  find("#play").disabled = !player.ready && tool() !== "draw";
  find("#tools [value=repaint]").disabled = !done;
  const word = { listen: composer.from === "nothing" ? "Make" : "Riff", repaint: "Repaint", draw: "Riff on it" }[
    tool()
  ];
  composer.go.textContent = jam.open ? (jam.running ? "Move there" : "Start") : word;
}

async function four() {
  const clips = await gestures.four();
  take("listen");
  await bench.put(null);
  find("#notice").hidden = true;
  ideas.show(clips);
}

function wire() {
  wireMenus();
  wireKey();
  wireTransport(player, stage, () => void attempt(() => gestures.toggle()));
  composer.addEventListener("go", () => void attempt(() => (jam.open ? jam.go() : gestures.go())));
  composer.addEventListener("four", () => void attempt(four));
  gestures.addEventListener("begin", () => {
    take("listen");
    ideas.hide();
  });
  composer.addEventListener("change", refresh);
  bench.addEventListener("change", () => {
    refresh();
    showHistory();
  });
  player.addEventListener("change", refresh);
  find("#tools").addEventListener("change", useTool);
  find("#cancel").addEventListener(
    "click",
    () => bench.clip && void attempt(() => workshop.cancel(/** @type {Clip} */ (bench.clip))),
  );
  find("#again").addEventListener("click", () => {
    const { clip } = bench;
    if (clip) void attempt(() => gestures.begin(clip.request, { verb: clip.verb, parents: clip.parents }));
  });
  find("#verbs").addEventListener("click", (/** @type {MouseEvent} */ event) => {
    const { verb, save } = /** @type {HTMLElement} */ (event.target).dataset;
    const { clip } = bench;
    if (clip && verb) void attempt(() => (verb === "share" ? share(clip) : gestures.riff(verb, clip)));
    if (clip && save) void attempt(() => saveAs(clip, save, workshop));
  });
  ideas.addEventListener("pick", (event) => void open(/** @type {CustomEvent} */ (event).detail, { keepIdeas: true }));
  ideas.addEventListener("finish", (event) => {
    const draft = /** @type {CustomEvent<Clip>} */ (event).detail;
    void attempt(() => gestures.riff("finish", draft));
  });
  workshop.addEventListener("change", (event) => {
    const clip = /** @type {CustomEvent<Clip | undefined>} */ (event).detail;
    showHistory();
    if (clip && clip === bench.clip && clip.status !== "pending" && tool() !== "draw") {
      void bench.put(clip, { play: gestures.asked.has(clip) }).then(refresh);
    }
  });
  jam.addEventListener("change", refresh);
  jam.addEventListener("open", () => player.pause());
  addEventListener("themechange", showHistory);
  find("#key").addEventListener("close", () => (barred = null));
  addEventListener("keychange", () => {
    composer.complain("");
    if (barred && apiKey()) void attempt(barred);
  });
  receiveFiles({
    recipe: async (recipe) => {
      await composer.catalog;
      const missing = lacking(composer.fill(recipe));
      composer.complain(`That file’s recipe is on the dials now. Press Make to hear it again. ${missing}`.trim());
    },
    file: (file, kind) =>
      void attempt(async () => {
        const { id } = await upload(file, file.name);
        const made = kind === "sound" ? picture({ upload: id }) : sound({ upload: id });
        await gestures.begin(made, { verb: "" });
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
  if (!id) return;
  await composer.catalog;
  const { request } = await getJson(`/clips/${encodeURIComponent(id)}.json`);
  composer.complain(lacking(composer.fill(request)));
}

wire();
showServer();
useTool();
await workshop.open();
const last = [...workshop.clips.values()].findLast((clip) => clip.status !== "failed" && !clip.draft);
if (last) await bench.put(last);
await attempt(remix);
