/** The API's reference: the language of all examples, what is copied, the visitor's key, and "try it". */

import { apiKey, setApiKey } from "../api/api-key.js";
import { wireTryIt } from "../docs/try-it.js";
import { find } from "../ui/dom.js";

const LANGUAGE = "language"; // in the browser's storage
const WIDE = "(min-width: 1000px)";

/** Shows every example in one language. @param {string} language */
function speak(language) {
  for (const radio of document.querySelectorAll(".example [type=radio]")) {
    const each = /** @type {HTMLInputElement} */ (radio);
    each.checked = each.value === language;
  }
}

function wireExamples() {
  const chosen = localStorage.getItem(LANGUAGE);
  if (chosen && document.querySelector(`.example [value="${CSS.escape(chosen)}"]`)) speak(chosen);
  for (const example of document.querySelectorAll(".example")) {
    example.addEventListener("change", (event) => {
      const top = example.getBoundingClientRect().top;
      const { value } = /** @type {HTMLInputElement} */ (event.target);
      localStorage.setItem(LANGUAGE, value);
      speak(value);
      scrollBy(0, example.getBoundingClientRect().top - top); // others above have changed their height
    });
    const copy = find(".copy", example);
    copy.hidden = !navigator.clipboard; // which pages without TLS don't have
    copy.addEventListener("click", async () => {
      const language = find(":checked", example).value;
      await navigator.clipboard.writeText(find(`[data-language="${language}"]`, example).textContent);
      copy.textContent = "Copied";
      setTimeout(() => (copy.textContent = "Copy"), 2000);
    });
  }
}

function wireKey() {
  const form = find("#key-form");
  const field = find("#key-field");
  const showState = () => {
    find("#key-state").textContent = apiKey()
      ? "This browser has a key, and sends it. Use an empty one to remove it."
      : "This browser has no key. One that you enter stays in this browser, for the Studio, too.";
  };
  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    setApiKey(field.value.trim());
    field.value = "";
  });
  addEventListener("keychange", showState);
  showState();
  form.hidden = false;
}

/** A narrow page begins with the text, and keeps the list of contents closed. */
function wireContents() {
  const contents = find(".contents");
  const wide = matchMedia(WIDE);
  const adapt = () => (contents.open = wide.matches);
  wide.addEventListener("change", adapt);
  contents.addEventListener("click", (/** @type {Event} */ { target }) => {
    if (!wide.matches && /** @type {Element} */ (target).closest("a")) contents.open = false;
  });
  adapt();
}

wireExamples();
wireKey();
wireContents();
for (const details of document.querySelectorAll("details.try")) wireTryIt(/** @type {HTMLElement} */ (details));
