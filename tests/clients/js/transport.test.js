import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, Problem, RequestError, UnavailableError } from "../../../web/static/js/client/index.js";
import { hangUp, job, json, refusal, withServer } from "./scripted-server.js";

const NOW = { "Retry-After": "0" };

test("a submission is repeated under one key until it is accepted", async () => {
  const replies = [hangUp, refusal("queue_full", 503, NOW), json(job(), 202)];
  await withServer(replies, async (url, asked) => {
    assert.equal((await new Client({ url }).submit("bells")).id, "j1");
    const keys = asked.map(({ headers }) => headers["idempotency-key"]);
    assert.match(String(keys[0]), /^[0-9a-f]{32}$/);
    assert.deepEqual(keys, [keys[0], keys[0], keys[0]]);
    assert.deepEqual(JSON.parse(asked[2].body), { mode: "text-to-audio", prompt: "bells" });
  });
});

test("the next try is no sooner than the server asks for", async () => {
  await withServer([refusal("overloaded", 503, { "Retry-After": "1" }), json({ models: [] })], async (url) => {
    const begun = Date.now();
    await new Client({ url }).models();
    assert.ok(Date.now() - begun >= 990);
  });
  const date = new Date(Date.now() + 3_600_000).toUTCString();
  await withServer([refusal("model_draining", 503, { "Retry-After": date })], async (url, asked) => {
    await assert.rejects(new Client({ url }).models(), (/** @type {any} */ error) => error.retryAfter > 3500);
    assert.equal(asked.length, 1); // an hour is longer than the client is to try
  });
});

test("whatever can't change is thrown at once, with its code", async () => {
  await withServer([refusal("invalid_request", 422)], async (url, asked) => {
    await assert.rejects(new Client({ url }).submit("x"), (error) => {
      assert.ok(error instanceof RequestError && error.code === "invalid_request");
      assert.equal(error.requestId, "r1");
      return true;
    });
    assert.equal(asked.length, 1);
  });
  await withServer([(response) => response.writeHead(413).end("<html>")], async (url) => {
    await assert.rejects(new Client({ url }).submit("x"), { code: "bad_request", status: 413 });
  });
});

test("a server that stays away is given up after retryForMs", async () => {
  await withServer([hangUp], async (url, asked) => {
    const error = await new Client({ url, retryForMs: 1500 }).models().catch((caught) => caught);
    assert.ok(error instanceof UnavailableError);
    assert.equal(error.code, "offline");
    assert.ok(asked.length >= 2);
  });
});

test("a body that breaks off is requested again", async () => {
  const half = (/** @type {import("node:http").ServerResponse} */ response) => {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "1000" });
    response.write('{"models": [');
    setTimeout(() => response.destroy(), 10);
  };
  await withServer([half, json({ models: ["whole"] })], async (url) => {
    assert.deepEqual(await new Client({ url }).models(), ["whole"]);
  });
});

test("a server that is silent counts as lost, one that is slow doesn't", async () => {
  const slow = (/** @type {import("node:http").ServerResponse} */ response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    [...'{"models":[1]}'].forEach((character, n) => {
      setTimeout(() => response.write(character), n * 130);
    });
    setTimeout(() => response.end(), 1900);
  };
  await withServer([() => {}, slow], async (url, asked) => {
    assert.deepEqual(await new Client({ url, responseTimeoutMs: 1500 }).models(), [1]);
    assert.equal(asked.length, 2);
  });
});

test("a call ends with its signal, whatever it waits for", async () => {
  const waits = [() => {}, refusal("queue_full", 503, { "Retry-After": "30" })];
  for (const reply of waits) {
    await withServer([reply], async (url) => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(new Error("enough")), 50);
      await assert.rejects(new Client({ url }).models({ signal: stop.signal }), /enough/);
      await assert.rejects(new Client({ url }).models({ timeoutMs: 50 }), { name: "TimeoutError" });
      await assert.rejects(new Client({ url }).models({ signal: AbortSignal.abort() }), { name: "AbortError" });
    });
  }
});

test("a run that is aborted before its job is accepted cancels it", async () => {
  /** @type {(() => void)[]} */
  const accept = [];
  const late = (/** @type {import("node:http").ServerResponse} */ response) =>
    accept.push(() => json(job(), 202)(response, /** @type {any} */ (null)));
  await withServer([late, json(job({ status: "canceled" }))], async (url, asked) => {
    await assert.rejects(new Client({ url }).run("x", { timeoutMs: 50 }), { name: "TimeoutError" });
    while (!accept.length) await new Promise((resolve) => setTimeout(resolve, 5));
    accept[0]();
    while (asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual([asked[1].method, asked[1].path], ["POST", "/jobs/j1/cancel"]);
  });
});

test("what an earlier attempt has deleted is deleted", async () => {
  await withServer([hangUp, refusal("gone", 410)], (url) => new Client({ url }).deleteUpload("u"));
  await withServer([refusal("not_found", 404)], async (url) => {
    await assert.rejects(new Client({ url }).deleteUpload("u"), { code: "not_found" });
  });
});

test("credentials are sent to the server only", async () => {
  const secret = "s".repeat(22);
  await withServer([json({})], async (elsewhere, strangers) => {
    const result = { audio: { url: `${elsewhere}/clip.mp3` }, image: { url: `${elsewhere}/clip.png` } };
    const moved = (/** @type {import("node:http").ServerResponse} */ response) =>
      response.writeHead(307, { Location: elsewhere }).end();
    const done = json(job({ status: "succeeded", result: /** @type {any} */ (result) }));
    await withServer([done, moved], async (url, asked) => {
      let key = "first";
      const client = new Client({ url, key: () => key, secret }).forEndUser("someone");
      await (await client.job("j1")).clip?.audio.bytes();
      key = "second";
      await assert.rejects(client.models(), { code: "redirected" });
      assert.deepEqual(
        asked.map(({ headers }) => headers.authorization),
        ["Bearer first", "Bearer second"],
      );
      assert.equal(asked[0].headers["riffusion-secret"], secret);
      assert.equal(asked[0].headers["riffusion-end-user"], "someone");
    });
    assert.equal(strangers.length, 1);
    for (const name of ["authorization", "riffusion-secret", "riffusion-end-user"]) {
      assert.ok(!(name in strangers[0].headers));
    }
  });
});

test("a link that has expired is renewed once", async () => {
  const done =
    (/** @type {string} */ path) =>
    (/** @type {any} */ response, /** @type {any} */ { headers }) => {
      const file = { url: `http://${headers.host}/${path}` };
      json(job({ status: "succeeded", result: /** @type {any} */ ({ audio: file, image: file }) }))(response, headers);
    };
  const replies = [done("old"), refusal("gone", 410), done("new"), json("sound")];
  await withServer(replies, async (url, asked) => {
    assert.equal(await (await (await new Client({ url }).job("j1")).clip?.audio.blob())?.text(), '"sound"');
    assert.deepEqual(
      asked.map(({ path }) => path),
      ["/jobs/j1", "/old", "/jobs/j1", "/new"],
    );
  });
});

test("lists go on from page to page", async () => {
  const pages = [json({ uploads: [1, 2], next_cursor: "a b" }), json({ uploads: [3], next_cursor: null })];
  await withServer(pages, async (url, asked) => {
    const found = [];
    for await (const upload of new Client({ url: `${url}/below/` }).uploads()) found.push(upload);
    assert.deepEqual(found, [1, 2, 3]);
    assert.deepEqual(
      asked.map(({ path }) => path),
      ["/below/uploads", "/below/uploads?cursor=a+b"],
    );
  });
});

test("a mistake of the caller is no lost connection", async () => {
  const client = new Client({ url: "http://127.0.0.1:9", key: "two\nlines" });
  await assert.rejects(client.models(), TypeError);
  assert.throws(
    () => new Client({ url: "127.0.0.1" }),
    (error) => !(error instanceof Problem),
  );
});
