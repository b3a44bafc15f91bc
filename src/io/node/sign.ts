/** Signs by Ed25519 with a key in a file. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { Fault } from "#std/fault.ts";
import type { Disk } from "../disk.ts";
import type { Signer, Verify } from "../sign.ts";

export interface SignerOptions {
  readonly disk: Disk;
  /** File of the private key, made with mode 0600 if it is missing; its directory must be there. */
  readonly path: string;
  /** File that the public key is written to. */
  readonly publicPath: string;
}

/** Whoever has the file can sign. Rejects with Fault `io.format` when it holds no key, and as the disk does. */
export async function openSigner({ disk, path, publicPath }: SignerOptions): Promise<Signer> {
  const stored = await disk.read(path, 4096);
  const key = stored === undefined ? generateKeyPairSync("ed25519").privateKey : readKey(path, stored);
  if (stored === undefined) await disk.writeAtomic(path, key.export({ type: "pkcs8", format: "pem" }), 0o600);
  const signer = createSigner(key);
  const published = await disk.read(publicPath, 4096);
  if (published === undefined || Buffer.from(published).toString() !== signer.publicKey) {
    await disk.writeAtomic(publicPath, signer.publicKey, 0o644);
  }
  return signer;
}

function readKey(path: string, pem: Uint8Array): KeyObject {
  try {
    const key = createPrivateKey(Buffer.from(pem));
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // Said below.
  }
  const message = `${path} holds no Ed25519 key; remove it to have a new one made`;
  throw new Fault("io.format", message, { fault: "world", retry: "never" });
}

function createSigner(key: KeyObject): Signer {
  const publicKey = createPublicKey(key);
  return {
    keyId: createHash("sha256")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest("hex")
      .slice(0, 16),
    publicKey: publicKey.export({ type: "spki", format: "pem" }),
    sign: (message) => sign(undefined, message, key),
  };
}

export const verifySignature: Verify = (publicKey, message, signature) => {
  try {
    const key = createPublicKey(publicKey);
    return key.asymmetricKeyType === "ed25519" && verify(undefined, message, key, signature);
  } catch {
    return false;
  }
};
