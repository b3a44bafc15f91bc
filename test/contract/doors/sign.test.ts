/** What every signer does: node's with a key in a file, and the memory twin. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createMemoryDisk } from "#io/memory/disk.ts";
import { createMemorySigner, verifyMemorySignature } from "#io/memory/sign.ts";
import { openSigner, verifySignature } from "#io/node/sign.ts";
import type { Signer, Verify } from "#io/sign.ts";
import { Fault } from "#std/fault.ts";

const PATHS = { path: "pki/erase.key", publicPath: "pki/erase.pub" };

async function inMemory(): Promise<Signer> {
  const disk = createMemoryDisk();
  await disk.makeDirectory("pki", 0o700);
  return openSigner({ disk, ...PATHS });
}

const twins: Record<string, { open: (seed: number) => Promise<Signer>; verify: Verify }> = {
  node: { open: inMemory, verify: verifySignature },
  memory: { open: async (seed) => createMemorySigner(seed), verify: verifyMemorySignature },
};

for (const [name, { open, verify }] of Object.entries(twins)) {
  describe(`signer: ${name}`, () => {
    const message = new TextEncoder().encode("what was erased");

    test("64 bytes that the public key verifies, the same each time", async () => {
      const signer = await open(1);
      const signature = signer.sign(message);
      assert.equal(signature.length, 64);
      assert.deepEqual([...signer.sign(message)], [...signature]);
      assert.match(signer.keyId, /^[0-9a-f]{16}$/);
      assert.ok(verify(signer.publicKey, message, signature));
      assert.ok(verify(signer.publicKey, new Uint8Array(), signer.sign(new Uint8Array())));
    });

    test("no other message, signature or key will do, and nothing malformed throws", async () => {
      const signer = await open(1);
      const signature = signer.sign(message);
      for (let bit = 0; bit < 8 * message.length; bit++) assert.ok(!verify(signer.publicKey, flipped(message, bit), signature));
      for (let bit = 0; bit < 8 * signature.length; bit += 7) {
        assert.ok(!verify(signer.publicKey, message, flipped(signature, bit)), `bit ${bit}`);
      }
      assert.ok(!verify((await open(2)).publicKey, message, signature));
      for (const length of [0, 63]) assert.ok(!verify(signer.publicKey, message, signature.subarray(0, length)));
      for (const key of ["", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"]) {
        assert.ok(!verify(key, message, signature), key);
      }
    });
  });
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

test("node: the key is made once, for its owner only, and its public half is written beside it", async () => {
  const disk = createMemoryDisk();
  await disk.makeDirectory("pki", 0o700);
  const first = await openSigner({ disk, ...PATHS });
  const again = await openSigner({ disk, ...PATHS });
  assert.equal(again.keyId, first.keyId);
  assert.equal(Buffer.from((await disk.read(PATHS.publicPath))!).toString(), first.publicKey);
  await disk.writeAtomic(PATHS.path, "no key", 0o600);
  await assert.rejects(openSigner({ disk, ...PATHS }), (error) => Fault.is(error, "io.format"));
});
