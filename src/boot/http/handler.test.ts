import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Sighting } from "#decide/sighting.ts";
import { silent } from "#io/log.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { createMemorySeal } from "#io/memory/seal.ts";
import { digest } from "#io/node/digest.ts";
import type { Incoming, Outgoing } from "#io/serve.ts";
import type { MetadataPort } from "../metadata/port.ts";
import { programsOf } from "../programs.ts";
import { createBootHandler } from "./handler.ts";

const sightings: Sighting[] = [];
const FILE = Buffer.from("0123456789");
const blob = { sha512: "ab".repeat(64), size: FILE.length, read: async function* () {} };
let isBroken = false;

const nothing: MetadataPort = {
  binding: async () => undefined,
  metalMachine: async () => undefined,
  machine: async () => undefined,
  secret: async () => undefined,
  record: async () => {},
  event: () => {},
};

const handler = createBootHandler({
  inventory: {
    isComplete: true,
    server: () => undefined,
    serversByMac: () => [],
    binding: () => undefined,
    serverClass: () => undefined,
    environment: () => undefined,
  },
  assets: {
    find: async (environment) => {
      if (isBroken) throw new Error("the disk is on fire");
      return ["default", "agent-amd64"].includes(environment) ? blob : undefined;
    },
  },
  programs: programsOf(new Map([["snp.efi", FILE]])),
  seal: createMemorySeal(1),
  digest,
  clock: new VirtualClock(),
  entropy: new SeededEntropy(1),
  log: silent,
  witness: (sighting) => void sightings.push(sighting),
  metadata: {
    port: nothing,
    neighbour: async () => undefined,
    identity: "neighbour",
    isOpen: false,
    onServed: () => {},
    onRefused: () => {},
  },
  settings: { endpoint: "", port: 8081, diskMethod: "ipxe-exit", agentArguments: [], tokenLifetime: 1000 },
});

function ask(target: string, method = "GET", headers: Incoming["headers"] = {}): Promise<Outgoing> {
  sightings.length = 0;
  const signal = new AbortController().signal;
  return handler({ method, target, headers, peer: { address: "10.0.0.7" }, body: async () => Buffer.alloc(0), signal });
}

function textOf({ body }: Outgoing): string {
  return "open" in body ? "" : Buffer.concat(body).toString();
}

test("refusals say why, and are seen with who asked", async () => {
  const post = await ask("/env/default/vmlinuz", "POST");
  assert.deepEqual([post.status, post.headers["allow"], textOf(post)], [405, "GET, HEAD", "only GET and HEAD\n"]);
  assert.deepEqual(sightings, [
    {
      of: { address: "10.0.0.7" },
      at: Date.UTC(2030, 0, 1),
      what: "http.refused",
      text: "POST /env/default/vmlinuz: 405, only GET and HEAD",
    },
  ]);
  await ask(`/${"x".repeat(1000)}`);
  assert.ok(sightings[0]!.text.length < 256);
});

test("what goes wrong inside is an answer, without its details", async () => {
  isBroken = true;
  for (const target of ["/env/default/vmlinuz", "/ipxe?mac=52:54:00:00:00:01"]) {
    const answer = await ask(target);
    assert.equal(answer.status, 500);
    assert.ok(!textOf(answer).includes("fire"));
    assert.equal(sightings[0]!.what, "http.refused");
  }
  isBroken = false;
});

test("every request gets an answer: a file, a script, or a refusal that is seen", async () => {
  const unit = fc.constantFrom(
    ..."/%.\\?&=+abZ09-_:;",
    "%2e",
    "%00",
    "%ff",
    "é",
    "\ud800",
    "env",
    "tftp",
    "ipxe",
    "configdata",
    "uuid=",
    "mac=",
  );
  const target = fc.oneof(
    fc.string({ unit, maxLength: 30 }),
    fc.string({ unit, maxLength: 30 }).map((rest) => `/${rest}`),
    fc.string({ unit, maxLength: 30 }).map((rest) => `/ipxe?${rest}`),
    fc.string({ unit, maxLength: 30 }).map((rest) => `/env/default/${rest}`),
    fc.constantFrom("/env/default/vmlinuz", "/tftp/snp.efi", "/boot.ipxe"),
  );
  const value = fc.oneof(fc.string(), fc.constantFrom("bytes=1-", "bytes=-1", "*", '"x"', "a:1", "[::1]"));
  const headers = fc.dictionary(
    fc.constantFrom("host", "range", "if-range", "if-match", "if-none-match", "if-modified-since"),
    value,
  );
  const method = fc.constantFrom("GET", "GET", "GET", "HEAD", "POST", "x");
  await fc.assert(
    fc.asyncProperty(target, method, headers, async (path, verb, all) => {
      const { status, body } = await ask(path, verb, all);
      assert.ok([200, 206, 304, 400, 403, 404, 405, 412, 416, 429, 500].includes(status), String(status));
      const isSeen = sightings.length === 1;
      assert.equal(
        isSeen,
        [400, 403, 404, 405, 500].includes(status) || /^(https?:\/\/[^/?#]*)?\/ipxe(\?|$)/i.test(path),
        `${verb} ${path}: ${status}`,
      );
      if (status === 200 && !("open" in body)) assert.match(Buffer.concat(body).toString(), /^#!ipxe\n[\n -~]*$/);
    }),
    { numRuns: 2000 },
  );
});
