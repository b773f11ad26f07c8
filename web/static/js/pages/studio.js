/** The playground: connects prompt, spectrogram, tools and history. */

import { apiKey } from "../api/api-key.js";
import { getJson, upload } from "../api/http.js";
import { isTransient, Problem } from "../api/problem.js";
import { audioToImage, imageToAudio } from "../api/requests.js";
import { watchOutput } from "../audio/output-watch.js";
import { Player } from "../audio/player.js";
import { ClipStore } from "../clips/clip-store.js";
import { exportClip } from "../clips/export.js";
import { drawLineage } from "../clips/lineage.js";
import { shareClip } from "../clips/share.js";
import { JamView } from "../jam/jam-view.js";
import { wireKeyToggles } from "../keys/key-toggles.js";
import { Keyboard } from "../keys/keyboard.js";
import { CANVAS_LABEL, Drawing } from "../spectrogram/drawing.js";
import { SpectrogramView } from "../spectrogram/spectrogram-view.js";
import { Actions } from "../studio/actions.js";
import { DrawnKeys } from "../studio/drawn-keys.js";
import { FourIdeas } from "../studio/four-ideas.js";
import { receiveFiles } from "../studio/open-files.js";
import { wireTransport } from "../studio/playback-controls.js";
import { PromptForm } from "../studio/prompt-form.js";
import { RepaintBox } from "../studio/repaint-box.js";
import { Stage } from "../studio/stage.js";
import { find } from "../ui/dom.js";
import { wireKeyDialog } from "../ui/key-dialog.js";
import { wireMenus } from "../ui/menus.js";
import { missingNames, NO_SOUND, refusal } from "../ui/messages.js";
import { showServerStatus } from "../ui/server-status.js";

/** @typedef {import("../clips/history.js").Clip} Clip */

/** @returns {"listen" | "repaint" | "draw"} */
const tool = () => find("#tools :checked").value;

const clipStore = new ClipStore();
const player = new Player();
const promptForm = new PromptForm(find("#prompt-form"));
const spectrogram = new SpectrogramView(find("#workbench .spectrogram"));
const stage = new Stage(spectrogram, player, clipStore);
const box = new RepaintBox(spectrogram, find("#repaint"));
const drawing = new Drawing(spectrogram, find("#draw"));
const ideas = new FourIdeas(find("#ideas"), clipStore);
const keyboard = new Keyboard(find("#keys"));
const drawnKeys = new DrawnKeys({ keyboard, drawing, spectrogram, player });
const jam = new JamView(promptForm, clipStore, keyboard);
const actions = new Actions({ promptForm, clipStore, stage, spectrogram, box, drawing, player, tool });

const showKeys = wireKeyToggles(keyboard, () => {
  if (jam.open) return "What you play is heard again in the next bars, with music around it.";
  return tool() === "draw" ? "What you play is drawn at the line, and heard from the next round on." : null;
});

/** The action that the server refused without a key, while the page asks for one.
 * @type {(() => unknown) | null} */
let pendingAction = null;

/** Runs an action; an error of the server is shown below the prompt.
 * @param {() => unknown} action */
async function attempt(action) {
  promptForm.showProblem("");
  pendingAction = null;
  try {
    await action();
  } catch (error) {
    promptForm.showProblem(refusal(error), isTransient(error));
    if (error instanceof Problem && error.code === "unauthorized") pendingAction = action;
    if (!(error instanceof Problem)) reportError(error);
  }
}

/** @param {"listen" | "repaint" | "draw"} name */
function selectTool(name) {
  find(`#tools [value=${name}]`).checked = true;
  useTool();
}

function useTool() {
  const now = tool();
  for (const name of ["listen", "repaint", "draw"]) find(`#${name}`).hidden = name !== now;
  spectrogram.setTool(
    { listen: null, repaint: "Spectrogram; type the box into the fields above", draw: CANVAS_LABEL }[now],
  );
  spectrogram.root.dataset.tool = now;
  box.active = now === "repaint";
  if (drawing.active && now !== "draw") void stage.show(stage.clip);
  if (drawing.active !== (now === "draw")) drawing.active = now === "draw";
  if (now === "draw") {
    player.pause();
    ideas.hide();
    find("#notice").hidden = true;
  }
  promptForm.tool = now;
  refresh();
}

/** What the play button does. */
const toggle = () => (drawnKeys.on && !player.playing ? drawnKeys.start() : actions.toggle());

/** Labels the buttons and disables those that have no clip to work on. */
function refresh() {
  const { clip } = stage;
  const done = clip?.status === "done";
  promptForm.hasClip = clip !== null && clip.status !== "failed";
  promptForm.go.disabled = clip?.status === "pending" && promptForm.from === "clip" && tool() === "listen" && !jam.open;
  for (const button of document.querySelectorAll("#verbs button")) {
    /** @type {HTMLButtonElement} */ (button).disabled = !done;
  }
  find(".save").inert = !done;
  find("#play").disabled = !player.ready && tool() !== "draw";
  find("#tools [value=repaint]").disabled = !done;
  find("#draw-keys").hidden = tool() !== "draw";
  showKeys();
  const label = { listen: promptForm.from === "nothing" ? "Make" : "Riff", repaint: "Repaint", draw: "Riff on it" }[
    tool()
  ];
  promptForm.go.textContent = jam.open ? (jam.running ? "Play this next" : "Start") : label;
}

/** @param {boolean} silent  whether what plays can't be heard */
function showSilence(silent) {
  const shown = promptForm.trouble.textContent;
  if (silent && !shown) promptForm.showProblem(NO_SOUND);
  if (!silent && shown === NO_SOUND) promptForm.showProblem("");
}

async function makeFourIdeas() {
  const clips = await actions.makeFour();
  selectTool("listen");
  await stage.show(null);
  find("#notice").hidden = true;
  ideas.show(clips);
}

function wire() {
  wireMenus();
  wireKeyDialog();
  wireTransport(player, spectrogram, () => void attempt(toggle));
  promptForm.addEventListener("go", () => void attempt(() => (jam.open ? jam.go() : actions.go())));
  promptForm.addEventListener("four", () => void attempt(makeFourIdeas));
  actions.addEventListener("begin", () => {
    selectTool("listen");
    ideas.hide();
  });
  promptForm.addEventListener("change", refresh);
  stage.addEventListener("change", () => {
    refresh();
    showHistory();
  });
  player.addEventListener("change", refresh);
  const watch = watchOutput(() => player.playing || jam.running, showSilence);
  for (const source of [player, jam]) source.addEventListener("change", watch);
  find("#tools").addEventListener("change", useTool);
  find("#cancel").addEventListener(
    "click",
    () => stage.clip && void attempt(() => clipStore.cancel(/** @type {Clip} */ (stage.clip))),
  );
  find("#again").addEventListener("click", () => {
    const { clip } = stage;
    if (clip) void attempt(() => actions.begin(clip.request, { verb: clip.verb, parents: clip.parents }));
  });
  find("#verbs").addEventListener("click", (/** @type {MouseEvent} */ event) => {
    const { verb, save } = /** @type {HTMLElement} */ (event.target).dataset;
    const { clip } = stage;
    if (clip && verb) void attempt(() => (verb === "share" ? shareClip(clip) : actions.derive(verb, clip)));
    if (clip && save) void attempt(() => exportClip(clip, save, clipStore));
  });
  ideas.addEventListener("pick", (event) => void open(/** @type {CustomEvent} */ (event).detail, { keepIdeas: true }));
  ideas.addEventListener("finish", (event) => {
    const draft = /** @type {CustomEvent<Clip>} */ (event).detail;
    void attempt(() => actions.derive("finish", draft));
  });
  clipStore.addEventListener("change", (event) => {
    const clip = /** @type {CustomEvent<Clip | undefined>} */ (event).detail;
    showHistory();
    if (clip && clip === stage.clip && clip.status !== "pending" && tool() !== "draw") {
      void stage.show(clip, { play: actions.requested.has(clip) }).then(refresh);
    }
  });
  jam.addEventListener("change", refresh);
  jam.addEventListener("open", () => player.pause());
  addEventListener("themechange", showHistory);
  find("#key").addEventListener("close", () => (pendingAction = null));
  addEventListener("keychange", () => {
    promptForm.showProblem("");
    if (pendingAction && apiKey()) void attempt(pendingAction);
  });
  receiveFiles({
    recipe: async (recipe) => {
      await promptForm.catalog;
      const missing = missingNames(promptForm.fill(recipe));
      promptForm.showProblem(
        `That file was made by Riffusion: everything is now set as it was then. Press Make to make the clip again. ${missing}`.trim(),
      );
    },
    file: (file, kind) =>
      void attempt(async () => {
        const { id } = await upload(file, file.name);
        const request = kind === "sound" ? audioToImage({ upload: id }) : imageToAudio({ upload: id });
        await actions.begin(request, { verb: "" });
      }),
    unknown: (file) => promptForm.showProblem(`${file.name} is neither a sound nor a picture.`),
  });
}

/** @param {Clip} clip @param {{keepIdeas?: boolean}} [options] */
async function open(clip, { keepIdeas = false } = {}) {
  selectTool("listen");
  if (!keepIdeas) ideas.hide();
  await stage.show(clip, { play: true });
}

function showHistory() {
  drawLineage(find("#lineage"), [...clipStore.clips.values()], {
    current: stage.clip,
    pick: (clip) => void open(clip),
    drop: (clip) => {
      if (clip === stage.clip) void stage.show(null);
      void clipStore.drop(clip);
    },
  });
}

/** Loads the recipe of a shared clip from the link /?remix=<share id>. */
async function remix() {
  const id = new URLSearchParams(location.search).get("remix");
  if (!id) return;
  await promptForm.catalog;
  const { request } = await getJson(`/clips/${encodeURIComponent(id)}.json`);
  promptForm.showProblem(missingNames(promptForm.fill(request)));
}

wire();
showServerStatus();
useTool();
await clipStore.load();
const last = [...clipStore.clips.values()].findLast((clip) => clip.status !== "failed" && !clip.draft);
if (last) await stage.show(last);
await attempt(remix);
