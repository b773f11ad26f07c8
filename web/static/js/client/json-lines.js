/** JSON lines: a JSON value a line. */

/**
 * The body of a request.
 * @template T
 * @param {Iterable<T> | AsyncIterable<T> | string | Blob | ArrayBuffer | Uint8Array} source  values, or lines as they are
 * @param {(value: T) => unknown} form  of a value in its line
 * @returns {Promise<{body: Blob, count: number}>} with how many values are in it, where that is known
 */
export async function writeLines(source, form) {
  const written = typeof source === "string" || source instanceof ArrayBuffer || ArrayBuffer.isView(source);
  if (written || source instanceof Blob) return { body: new Blob([/** @type {BlobPart} */ (source)]), count: 0 };
  /** @type {string[]} */
  const lines = [];
  for await (const value of source) lines.push(`${JSON.stringify(form(value))}\n`);
  return { body: new Blob(lines), count: lines.length };
}

/**
 * The values of a body. One that the stream breaks off in is dropped.
 * @param {ReadableStream<Uint8Array>} body
 * @param {() => void} touch  called with each chunk
 * @returns {AsyncGenerator<any, void>}
 */
export async function* readLines(body, touch) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      touch();
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = /** @type {string} */ (lines.pop());
      for (const line of lines) yield JSON.parse(line);
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}
