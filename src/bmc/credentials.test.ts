import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { noCredentials, readCredentials, SealedCredentials } from "./credentials.ts";
import type { ReadSecret } from "./credentials.ts";

const secret = { namespace: "default", name: "m1-bmc", key: "pass" };

test("whatever prints them prints stars", () => {
  const credentials = new SealedCredentials("root", "hunter2");
  assert.deepEqual([credentials.user, credentials.password], ["root", "hunter2"]);
  const held = { bmc: { credentials } };
  const prints = [
    String(credentials),
    JSON.stringify(held),
    inspect(held, { depth: 9, showHidden: true, getters: true }),
    inspect(credentials),
    JSON.stringify({ ...credentials }),
    JSON.stringify(Object.entries(credentials)),
    JSON.stringify(structuredClone({ ...credentials })),
  ];
  for (const text of prints) assert.doesNotMatch(text, /hunter2|root/);
  assert.match(inspect(held), /\*\*\*/);
});

test("each comes from where the Server says", async () => {
  const asked: unknown[] = [];
  const readSecret: ReadSecret = async (reference) => {
    asked.push(reference);
    return "hunter2";
  };
  const read = await readCredentials({ user: { literal: "root" }, password: { secret } }, readSecret);
  assert.deepEqual([read?.user, read?.password, asked], ["root", "hunter2", [secret]]);
  assert.equal(await readCredentials(undefined, readSecret), undefined);
});

test("what is missing is named", async () => {
  const reading = readCredentials({ user: { literal: "root" }, password: { secret } }, async () => "");
  await assert.rejects(reading, { code: "bmc.no-credentials", message: "Secret default/m1-bmc, key pass: is empty" });
  const missing = noCredentials(secret, "does not exist");
  await assert.rejects(
    readCredentials({ user: { secret }, password: { secret } }, () => Promise.reject(missing)),
    missing,
  );
});
