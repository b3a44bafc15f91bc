import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { canonicalJson, eraseRecord, formatSignature, parseSignature, wipedMachine } from "./record.ts";

const server = {
  metadata: { name: "a", uid: "u" },
  spec: { accepted: true, hardware: { system: { uuid: "a", serialNumber: "S" } } },
} as unknown as Server;
const wipe = {
  id: "w1",
  reason: "released",
  by: "release",
  orderedAt: "2030-01-01T00:00:00Z",
  finishedAt: "2030-01-01T00:01:00Z",
  state: "done",
  mode: "fast",
  attempts: 3,
  heardAt: "2030-01-01T00:01:00Z",
  disks: [{ name: "sda", serial: "D", bytes: 10, method: "discard", state: "done", verified: true, percent: 100 }],
} as const;

test("what is signed: machine, order, disks; not how often it was tried", () => {
  assert.equal(
    canonicalJson(eraseRecord("a", { ...wipe, machine: wipedMachine(server), disks: [...wipe.disks] })),
    '{"disks":[{"bytes":10,"method":"discard","name":"sda","serial":"D","state":"done","verified":true}],"kind":"SideroEraseRecord",' +
      '"server":{"name":"a","serialNumber":"S","uid":"u","uuid":"a"},"version":1,' +
      '"wipe":{"by":"release","finishedAt":"2030-01-01T00:01:00Z","id":"w1","mode":"fast","orderedAt":"2030-01-01T00:00:00Z","reason":"released","state":"done"}}',
  );
});

test("the order of keys makes no difference, everything else does", () => {
  assert.equal(canonicalJson({ b: 1, a: [{ d: null, c: "x" }] }), canonicalJson({ a: [{ c: "x", d: null }], b: 1 }));
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(JSON.parse(canonicalJson(value as never)), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("signatures as text", () => {
  const signature = { keyId: "0123456789abcdef", signature: Buffer.alloc(64, 7).toString("base64") };
  assert.deepEqual(parseSignature(formatSignature(signature)), signature);
  for (const text of ["", "ed25519:0:x", `rsa:${signature.keyId}:${signature.signature}`])
    assert.equal(parseSignature(text), undefined);
});
