import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { webhooks } from "../../../web/static/js/client/index.js";

const SECRET = `whsec_${Buffer.from("a secret of 24 bytes....").toString("base64")}`;
const BODY = JSON.stringify({ type: "job.failed", data: { id: "ö" } });

/** @param {{id?: string, seconds?: number, body?: string}} [given] */
function signed({ id = "j1", seconds = Math.floor(Date.now() / 1000), body = BODY } = {}) {
  const key = Buffer.from(SECRET.slice(6), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": String(seconds), "webhook-signature": `v1,${signature}` };
}

test("a webhook is unwrapped, however its body and headers are held", async () => {
  const headers = signed();
  const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]));
  for (const body of [BODY, Buffer.from(BODY), new TextEncoder().encode(BODY).buffer]) {
    for (const held of [headers, upper, new Headers(headers)]) {
      const found = await webhooks.unwrap(/** @type {any} */ (body), held, SECRET);
      assert.deepEqual([found.type, found.data.id], ["job.failed", "ö"]);
    }
  }
});

test("one of two signatures is enough: a secret may be replaced", async () => {
  const headers = signed();
  headers["webhook-signature"] = `v1,AAAA v1,* v2,x  v1 ${headers["webhook-signature"]}`;
  assert.equal((await webhooks.unwrap(BODY, headers, SECRET)).type, "job.failed");
});

test("nothing else is", async () => {
  const now = Math.floor(Date.now() / 1000);
  /** @type {[string, any, string][]} */
  const others = [
    [BODY.replace("failed", "succeeded"), signed(), SECRET],
    [BODY, signed(), `whsec_${Buffer.from("another").toString("base64")}`],
    [BODY, { ...signed(), "webhook-id": "j2" }, SECRET],
    [BODY, { ...signed(), "webhook-signature": "" }, SECRET],
    [BODY, { ...signed(), "webhook-signature": "v1," }, SECRET],
    [BODY, {}, SECRET],
    ...[now - 301, now + 310, Number.NaN].map((seconds) => /** @type {any} */ ([BODY, signed({ seconds }), SECRET])),
  ];
  for (const given of others) await assert.rejects(webhooks.unwrap(...given), { code: "invalid_webhook" });
});
