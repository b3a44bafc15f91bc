/** The kubeconfig an operator gets: everything kubectl needs, in one file. */
import { stringify } from "yaml";
import type { Disk } from "#io/disk.ts";
import type { Pair } from "./certificate.ts";

export interface KubeconfigOptions {
  readonly disk: Disk;
  readonly path: string;
  /** Where the listener listens; a name is kept as one. */
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly authority: string;
  readonly client: Pair;
}

/** Writes the file whole, for its owner only; not at all when it is so already, so that a server can start on a full disk. */
export async function writeKubeconfig(options: KubeconfigOptions): Promise<void> {
  const { disk, path } = options;
  const text = kubeconfig(options);
  const present = await disk.read(path);
  if (present === undefined || Buffer.from(present).toString() !== text) await disk.writeAtomic(path, text, 0o600);
}

function kubeconfig({ host, port, authority, client }: KubeconfigOptions): string {
  return stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "sidero", cluster: { server: serverUrl(host, port), "certificate-authority-data": base64(authority) } }],
      users: [
        { name: "admin", user: { "client-certificate-data": base64(client.certificate), "client-key-data": base64(client.key) } },
      ],
      contexts: [{ name: "sidero", context: { cluster: "sidero", user: "admin", namespace: "default" } }],
      "current-context": "sidero",
    },
    { lineWidth: 0 },
  );
}

/** A URL this machine reaches the listener under. */
export function serverUrl(host: string, port: number, scheme: "https" | "http" = "https"): string {
  return `${scheme}://${reachable(host)}:${port}`;
}

function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
