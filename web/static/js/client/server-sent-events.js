/**
 * Reads a stream of server-sent events (HTML standard, 9.2.6).
 * @typedef {{id: string, name: string, data: string}} ServerSentEvent
 */

const LINE_END = /\r\n|\n|\r(?!$)/; // a \r at the end may be half of a \r\n

/**
 * The events of a body. An event that the stream breaks off in is dropped, as is half a character.
 * @param {ReadableStream<Uint8Array>} body
 * @param {() => void} [touch]  called with each chunk, also one of comments only
 * @returns {AsyncGenerator<ServerSentEvent, void>}
 */
export async function* serverSentEvents(body, touch) {
  const reader = body.getReader();
  const decoder = new TextDecoder(); // drops a byte order mark
  let id = "";
  let [name, text] = ["", ""];
  /** @type {string[]} */
  let data = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      touch?.();
      const lines = (text + decoder.decode(value, { stream: true })).split(LINE_END);
      text = /** @type {string} */ (lines.pop());
      for (const line of lines) {
        const [, field, given] = /** @type {RegExpMatchArray} */ (line.match(/^([^:]*):? ?(.*)$/s));
        if (line === "") {
          if (data.length) yield { id, name: name || "message", data: data.join("\n") };
          name = "";
          data = [];
        } else if (field === "data") data.push(given);
        else if (field === "id") id = given;
        else if (field === "event") name = given;
      }
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}
