/** Copies a field's text, also where the page came by plain HTTP and the browser has no clipboard for it. */

/** @param {HTMLInputElement | HTMLTextAreaElement} field @param {HTMLElement} button  says when it is done */
export async function copyField(field, button) {
  field.select();
  if (navigator.clipboard) await navigator.clipboard.writeText(field.value);
  else document.execCommand("copy");
  button.textContent = "Copied";
}
