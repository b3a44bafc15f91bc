/** Access to Talos: client certificates whose organisations are roles, and the file that talosctl reads (facts §5.2). */
import { isObject, own } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { at } from "./document/document.ts";
import { refusal } from "./fault.ts";
import { type KeyPair, type Minting, SKEW } from "./pki.ts";
import { encodePem } from "./secrets.ts";
import { decodePem } from "./secrets-text.ts";
import { emitYaml } from "./yaml/emit.ts";
import { readYaml } from "./yaml/read.ts";

export type Role = "os:admin" | "os:operator" | "os:reader" | "os:etcd:backup" | "os:image:verifier" | "os:meta:writer";

const YEAR = 8_760 * 3_600_000;

/** A client certificate of a year (or `lifetime`, in ms), signed by the cluster's OS authority. */
export function issueTalosClient(
  authority: KeyPair,
  { pki, now }: Omit<Minting, "entropy">,
  roles: readonly Role[] = ["os:admin"],
  lifetime = YEAR,
): Promise<KeyPair> {
  return pki.issue(
    {
      algorithm: "ed25519",
      subject: roles.map((value) => ({ type: "O", value })),
      notBefore: now - SKEW,
      notAfter: now + lifetime,
      isAuthority: false,
      usages: ["client"],
    },
    authority,
  );
}

/** One context of the file; certificates and keys in PEM. */
export interface TalosContext {
  readonly name: string;
  readonly endpoints: readonly string[];
  readonly nodes?: readonly string[];
  readonly ca: string;
  readonly client: KeyPair;
}

export function printTalosconfig({ name, endpoints, nodes = [], ca, client }: TalosContext): string {
  return emitYaml({
    context: name,
    contexts: {
      [name]: {
        endpoints: [...endpoints],
        ...(nodes.length > 0 ? { nodes: [...nodes] } : {}),
        ca: encodePem(ca),
        crt: encodePem(client.certificate),
        key: encodePem(client.key),
      },
    },
  });
}

/** The context that the file names as the present one. Throws Fault `talos.config` for what is no talosconfig with a certificate. */
export function parseTalosconfig(text: string): TalosContext {
  const { value } = readYaml(text, "talos.config");
  const name = isObject(value) ? own(value, "context") : undefined;
  const context = isObject(value) && typeof name === "string" ? at(value, "contexts", name) : undefined;
  if (typeof name !== "string" || !isObject(context)) throw refusal("talos.config", "the talosconfig has no context");
  const [ca, certificate, key] = ["ca", "crt", "key"].map((field) => pemOf(context, field));
  if (ca === undefined || certificate === undefined || key === undefined)
    throw refusal("talos.config", "the talosconfig has no certificate for its context");
  return {
    name,
    endpoints: listOf(own(context, "endpoints")),
    nodes: listOf(own(context, "nodes")),
    ca,
    client: { certificate, key },
  };
}

function pemOf(context: JsonObject, field: string): string | undefined {
  const text = own(context, field);
  return typeof text === "string" ? decodePem(text) : undefined;
}

function listOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
