import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../../../web/static/js/client/index.js";
import { event, hangUp, job, json, refusal, stream, withServer } from "./scripted-server.js";

/** @param {AsyncIterable<import("../../../web/static/js/client/index.js").Job>} jobs */
async function statuses(jobs) {
  const found = [];
  for await (const each of jobs) found.push(each.data.progress?.step ?? each.status);
  return found;
}

const at = (/** @type {number} */ step) => job({ status: "running", progress: { step, total: 20 } });
const done = job({ status: "succeeded", warnings: ["ünïcödé 🎵"] });

test("a stream that breaks off in the middle of a character is resumed where it was", async () => {
  const bytes = new TextEncoder().encode(event("2", done));
  const middle = bytes.lastIndexOf(0xf0) + 2; // within the note
  const replies = [
    stream([event("1", at(1)), bytes.slice(0, middle)], { breakOff: true }),
    json(at(2)),
    stream([bytes.slice(0, middle), bytes.slice(middle)]),
  ];
  await withServer(replies, async (url, asked) => {
    const found = [];
    for await (const each of new Client({ url }).events("j1")) found.push(each);
    assert.deepEqual(found.at(-1)?.data.warnings, ["ünïcödé 🎵"]);
    assert.equal(found.length, 3);
    assert.deepEqual(
      asked.map(({ path, headers }) => [path, headers["last-event-id"]]),
      [
        ["/jobs/j1/events", undefined],
        ["/jobs/j1", undefined],
        ["/jobs/j1/events", "1"],
      ],
    );
  });
});

test("a server that dies in the middle of a stream is waited for", async () => {
  const replies = [stream([event("1", at(1))], { breakOff: true }), hangUp, hangUp, json(done)];
  await withServer(replies, async (url) => {
    assert.deepEqual(await statuses(new Client({ url }).events("j1")), [1, "succeeded"]);
  });
});

test("one that stays away is given up after retryForMs, and a job that is gone at once", async () => {
  await withServer([stream([event("1", at(1))], { breakOff: true }), hangUp], async (url) => {
    await assert.rejects(statuses(new Client({ url }).events("j1", { retryForMs: 300 })), { code: "offline" });
  });
  await withServer([refusal("gone", 410)], async (url) => {
    await assert.rejects(statuses(new Client({ url }).events("j1")), { code: "gone" });
  });
});

test("a reader who was away for longer than that finds the server", async () => {
  const replies = [stream([event("1", at(1))], { breakOff: true }), hangUp, json(done)];
  await withServer(replies, async (url) => {
    const found = [];
    for await (const { status } of new Client({ url }).events("j1", { retryForMs: 600 })) {
      if (found.push(status) === 1) await new Promise((resolve) => setTimeout(resolve, 700));
    }
    assert.deepEqual(found, ["running", "succeeded"]);
  });
});

test("a refusal under load is no lost stream", async () => {
  const replies = [refusal("overloaded", 503, { "Retry-After": "0" }), stream([event("1", done)])];
  await withServer(replies, async (url, asked) => {
    assert.deepEqual(await statuses(new Client({ url }).events("j1")), ["succeeded"]);
    assert.deepEqual(
      asked.map(({ path }) => path),
      ["/jobs/j1/events", "/jobs/j1/events"],
    );
  });
});

test("where streams don't get through it polls, and says what it knows already", async () => {
  const waiting = json(at(3), 200, { ETag: 'W/"3"', "Retry-After": "0.01" });
  const same = (/** @type {import("node:http").ServerResponse} */ response) =>
    response.writeHead(304, { "Retry-After": "0.01" }).end();
  await withServer([hangUp, waiting, same, json(done)], async (url, asked) => {
    assert.deepEqual(await statuses(new Client({ url }).events("j1")), [3, "succeeded"]);
    assert.deepEqual(
      asked.map(({ path, headers }) => [path, headers["if-none-match"]]),
      [
        ["/jobs/j1/events", undefined],
        ["/jobs/j1", undefined],
        ["/jobs/j1", 'W/"3"'],
        ["/jobs/j1", 'W/"3"'],
      ],
    );
  });
});

test("a proxy's page is neither a stream nor a job", async () => {
  const page = (/** @type {import("node:http").ServerResponse} */ response) =>
    response.writeHead(200, { "Content-Type": "text/html" }).end("<html>\n\nSign in</html>");
  await withServer([page], async (url, asked) => {
    await assert.rejects(statuses(new Client({ url }).events("j1", { retryForMs: 2500 })), { code: "offline" });
    assert.ok(asked.some(({ path }) => path === "/jobs/j1"));
  });
});

test("a stream ends with its reader", async () => {
  let closed = 0;
  const open = (/** @type {any} */ response, /** @type {any} */ asked) => {
    response.on("close", () => closed++);
    stream([event("1", at(1))])(response, asked);
  };
  await withServer([open], async (url) => {
    const client = new Client({ url });
    for (let n = 0; n < 3; n++) for await (const _ of client.events("j1")) break; // more often than there are places
    await assert.rejects(statuses(client.events("j1", { timeoutMs: 50 })), { name: "TimeoutError" });
    while (closed < 4) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

test("a hundred jobs at once leave connections for everything else", async () => {
  let [open, most] = [0, 0];
  let ended = false;
  const answer = (/** @type {any} */ response, /** @type {any} */ asked) => {
    most = Math.max(most, ++open);
    response.on("finish", () => open--);
    const id = asked.path.split("/")[2];
    const state = { ...(ended ? done : at(1)), id };
    if (asked.path.endsWith("/events")) {
      stream([event("1", state)])(response, asked);
      setTimeout(() => response.end(event("2", { ...done, id })), 600);
    } else setTimeout(() => json(state, 200, { "Retry-After": "0.05" })(response, asked), 2);
  };
  await withServer([answer], async (url) => {
    const client = new Client({ url });
    const followed = Array.from({ length: 100 }, (_, n) => statuses(client.events(`j${n}`)));
    setTimeout(() => {
      ended = true;
    }, 300);
    for (const each of await Promise.all(followed)) assert.equal(each.at(-1), "succeeded");
    assert.ok(most <= 4, `${most} connections`);
  });
});

test("the preview of a job is its owner's", async () => {
  const painting = { ...at(2), preview: { url: "http://elsewhere.example/jobs/j1/preview", number: 7 } };
  await withServer([json(painting), (response) => response.end("webp")], async (url, asked) => {
    const { preview } = await new Client({ url, key: "k" }).job("j1");
    assert.equal(preview?.info.number, 7);
    assert.equal(await (await preview?.blob())?.text(), "webp");
    assert.deepEqual([asked[1].path, asked[1].headers.authorization], ["/jobs/j1/preview", "Bearer k"]);
  });
});
