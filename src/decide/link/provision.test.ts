import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { networkOf } from "./address.ts";
import type { Pin, Proof, Provision, ProvisionCall, ProvisionFacts } from "./provision.ts";
import { decideProvision, SILENT } from "./provision.ts";

const network = networkOf("", (data) => createHash("sha256").update(data).digest());
const UUID = "00112233-4455-6677-8899-aabbccddeeff";
const KEY = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
const OTHER_KEY = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=";
const ADDRESS = "fdae:41e4:649b:9303::1234";
const call: ProvisionCall = { uuid: UUID, publicKey: KEY };
const proven: Proof = { is: "boot", uuid: UUID, boot: "b1", issued: 1000 };
const facts: ProvisionFacts = { network, proof: proven, isOpen: false, server: "accepted", binding: {}, address: ADDRESS };
const pin: Pin = { publicKey: KEY, boot: "b1", issued: 1000 };
const withUnique: Pin = { ...pin, uniqueToken: "n" };

function outcome(provision: Provision): string {
  return provision.is === "granted"
    ? `${provision.role}${provision.isNew ? " new" : ""}`
    : `${provision.code} ${provision.reason}`;
}

const none: Proof = { is: "none" };
const guest: Proof = { is: "guest" };
const newer: Proof = { ...proven, boot: "b2", issued: 2000 };
const older: Proof = { ...proven, boot: "b0", issued: 500 };
const TABLE: readonly [string, Partial<ProvisionCall>, Partial<ProvisionFacts>, string][] = [
  ["the first call of a held machine", {}, {}, "machine new"],
  ["a UUID in upper case", { uuid: UUID.toUpperCase() }, {}, "machine new"],
  ["a machine nobody holds", {}, { binding: undefined }, "guest new"],
  ["a machine that was not accepted, whatever it is bound to", {}, { server: "discovered" }, "guest new"],
  ["the tunnel is lost: the same again", {}, { pin, binding: { address: `${ADDRESS}/64` } }, "machine"],
  ["the address is not on record yet", {}, { pin }, "machine new"],
  ["no UUID", { uuid: "x" }, {}, "invalid_argument BadUUID"],
  ["no key", { publicKey: "" }, {}, "invalid_argument BadKey"],
  ["31 bytes", { publicKey: "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8A==" }, {}, "invalid_argument BadKey"],
  ["a key in other base64", { publicKey: KEY.replace("Dg=", "Dh=") }, {}, "invalid_argument BadKey"],
  ["the key of all zeros", { publicKey: `${"A".repeat(43)}=` }, {}, "invalid_argument BadKey"],
  ["an endless unique token", { uniqueToken: "n".repeat(513) }, {}, "invalid_argument BadUniqueToken"],
  ["no token", {}, { proof: none }, "permission_denied NoToken"],
  ["no token tells nothing of which Servers there are", {}, { proof: none, server: "unknown" }, "permission_denied NoToken"],
  ["no token where that is allowed", {}, { proof: none, isOpen: true }, "machine new"],
  ["a guest that is no Server", {}, { proof: guest, server: "unknown", binding: undefined }, "guest new"],
  ["a guest that may become a machine", {}, { proof: guest, binding: undefined }, "guest new"],
  ["a guest that says it is a machine of a cluster", {}, { proof: guest }, "permission_denied NoGuest"],
  [
    "a guest, when a boot of that machine has proved itself",
    {},
    { proof: guest, binding: undefined, pin },
    "permission_denied NoToken",
  ],
  [
    "another key for a guest, while it is live",
    { publicKey: OTHER_KEY },
    { proof: guest, binding: undefined, pin: { publicKey: KEY }, silentFor: 1 },
    "unavailable KeyIsLive",
  ],
  [
    "another unique token for a guest",
    { publicKey: OTHER_KEY, uniqueToken: "m" },
    { proof: guest, binding: undefined, pin: { publicKey: KEY, uniqueToken: "n" } },
    "permission_denied UniqueToken",
  ],
  ["a bad token even there", {}, { proof: { is: "refused", problem: "p" }, isOpen: true }, "permission_denied BadToken"],
  ["a stolen UUID", {}, { proof: { ...proven, uuid: UUID.replace("0", "1") } }, "permission_denied TokenOfAnother"],
  ["no such Server", {}, { server: "unknown" }, "not_found NoServer"],
  ["a key that another machine has", {}, { keyOf: "y" }, "permission_denied KeyInUse"],
  [
    "another key with the same token while the first is live",
    { publicKey: OTHER_KEY },
    { pin, silentFor: SILENT - 1 },
    "unavailable KeyIsLive",
  ],
  ["a boot from disk with the same token", { publicKey: OTHER_KEY }, { pin, silentFor: SILENT }, "machine new"],
  ["a boot from disk after the server was away", { publicKey: OTHER_KEY }, { pin }, "machine new"],
  [
    "another key with the unique token",
    { publicKey: OTHER_KEY, uniqueToken: "n" },
    { pin: withUnique, silentFor: 1 },
    "machine new",
  ],
  [
    "another key with another unique token",
    { publicKey: OTHER_KEY, uniqueToken: "m" },
    { pin: withUnique },
    "permission_denied UniqueToken",
  ],
  ["another key without the unique token", { publicKey: OTHER_KEY }, { pin: withUnique }, "permission_denied UniqueToken"],
  ["a newer boot", { publicKey: OTHER_KEY, uniqueToken: "m" }, { pin: withUnique, proof: newer, silentFor: 1 }, "machine new"],
  ["a boot that came before, replayed", { publicKey: OTHER_KEY }, { pin, proof: older }, "permission_denied OldBoot"],
  ["the token left out, where open", { publicKey: OTHER_KEY }, { pin, proof: none, isOpen: true }, "permission_denied NoToken"],
  ["a token at last", { publicKey: OTHER_KEY }, { pin: { publicKey: KEY }, isOpen: true, silentFor: 1 }, "machine new"],
];

for (const [name, said, known, expected] of TABLE)
  test(`${name}: ${expected}`, () =>
    assert.equal(outcome(decideProvision({ ...call, ...said }, { ...facts, ...known })), expected));

test("the address on record is kept when it is of this network, and replaced when it is not", () => {
  const addressWith = (address: string): string | undefined => {
    const provision = decideProvision(call, { ...facts, binding: { address } });
    return provision.is === "granted" ? provision.address : undefined;
  };
  assert.equal(addressWith("fdae:41e4:649b:9303::99/64"), "fdae:41e4:649b:9303::99/64");
  for (const foreign of ["fd00::1/64", "fdae:41e4:649b:9303::1/64", "x"]) assert.equal(addressWith(foreign), `${ADDRESS}/64`);
});

const keys = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((bytes) => bytes.some((byte) => byte > 0))
  .map((bytes) => Buffer.from(bytes).toString("base64"));
const uniques = fc.option(fc.constantFrom("n", "m"), { nil: undefined });
const proofs = fc.constantFrom<Proof>(proven, newer, older, none, guest, { is: "refused", problem: "p" });

test("what was granted is granted again, changes nothing then, and is not moved by the clock", () => {
  fc.assert(
    fc.property(keys, uniques, proofs, fc.boolean(), fc.nat(), (publicKey, uniqueToken, proof, isOpen, silentFor) => {
      const said = { uuid: UUID, publicKey, ...(uniqueToken === undefined ? {} : { uniqueToken }) };
      const first = decideProvision(said, { ...facts, proof, isOpen });
      if (first.is !== "granted") return;
      const again = decideProvision(said, {
        ...facts,
        proof,
        isOpen,
        pin: first.pin,
        binding: { address: first.address },
        silentFor,
      });
      assert.deepEqual(again, { ...first, isNew: false });
    }),
  );
});

test("nobody without this boot's token or a newer one gets at a tunnel, whatever else they know", () => {
  fc.assert(
    fc.property(
      keys,
      uniques,
      fc.constantFrom<Proof>(older, none),
      fc.boolean(),
      fc.nat(),
      (publicKey, uniqueToken, proof, isOpen, silentFor) => {
        const said = { uuid: UUID, publicKey, ...(uniqueToken === undefined ? {} : { uniqueToken }) };
        assert.equal(decideProvision(said, { ...facts, proof, isOpen, pin: withUnique, silentFor }).is, "refused");
      },
    ),
  );
});
