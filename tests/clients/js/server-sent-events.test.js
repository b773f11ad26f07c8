import assert from "node:assert/strict";
import { test } from "node:test";
import { serverSentEvents } from "../../../web/static/js/client/server-sent-events.js";

/** @param {Uint8Array[]} chunks */
async function read(...chunks) {
  const body = new ReadableStream({
    start(stream) {
      for (const chunk of chunks) stream.enqueue(chunk);
      stream.close();
    },
  });
  const found = [];
  for await (const event of serverSentEvents(body)) found.push(event);
  return found;
}

const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text);

for (const [name, end] of [
  ["\\n", "\n"],
  ["\\r\\n", "\r\n"],
  ["\\r", "\r"],
]) {
  test(`lines that end with ${name}, cut anywhere`, async () => {
    const lines = [
      "retry: 2000",
      "",
      ": still here",
      "",
      "event: job",
      "id: 7",
      "data: {",
      "data:  “🎵”}",
      "",
      "data",
      "",
      "",
    ];
    const whole = bytes(lines.join(end) + (end === "\r" ? ":" : ""));
    const expected = [
      { id: "7", name: "job", data: "{\n “🎵”}" },
      { id: "7", name: "message", data: "" },
    ];
    for (let at = 0; at <= whole.length; at++)
      assert.deepEqual(await read(whole.slice(0, at), whole.slice(at)), expected);
    assert.deepEqual(await read(...Array.from(whole, (byte) => Uint8Array.of(byte))), expected);
  });
}

test("an event that is cut short is dropped", async () => {
  const whole = bytes("data: one\n\ndata: 🎵\n\n");
  for (let at = 11; at < whole.length; at++) {
    assert.deepEqual(
      (await read(whole.slice(0, at))).map(({ data }) => data),
      ["one"],
    );
  }
});
