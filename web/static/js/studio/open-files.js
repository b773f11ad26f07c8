/** Files that are dropped on the page or chosen. One made here sets the dials to its recipe, any other becomes a clip. */

import { readRecipe } from "../clips/recipe.js";
import { find } from "../ui/dom.js";

/**
 * @param {{recipe(recipe: Record<string, any>): void, file(file: File, kind: "picture" | "sound"): void,
 *   unknown(file: File): void}} handlers
 */
export function receiveFiles(handlers) {
  const open = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    const recipe = await readRecipe(file);
    if (recipe) handlers.recipe(recipe);
    else if (file.type.startsWith("audio/")) handlers.file(file, "sound");
    else if (file.type.startsWith("image/")) handlers.file(file, "picture");
    else handlers.unknown(file);
  };
  const input = /** @type {HTMLInputElement} */ (find("#file"));
  input.addEventListener("change", () => {
    void open(input.files?.[0]);
    input.value = "";
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    void open(event.dataTransfer?.files[0]);
  });
}
