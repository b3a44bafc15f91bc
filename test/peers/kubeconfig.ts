/** The part of a kubeconfig that a plain HTTPS client needs. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";

export interface Credentials {
  /** `https://127.0.0.1:port`. */
  readonly server: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

interface Kubeconfig {
  clusters: { cluster: Record<string, string> }[];
  users: { user: Record<string, string> }[];
}

function decode(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, "base64").toString("utf8");
}

/** Credentials of the first cluster and user of the file. */
export function readKubeconfig(file: string): Credentials {
  const { clusters, users } = parse(readFileSync(file, "utf8")) as Kubeconfig;
  const cluster = clusters[0]!.cluster;
  const user = users[0]!.user;
  const ca = decode(cluster["certificate-authority-data"]);
  const cert = decode(user["client-certificate-data"]);
  const key = decode(user["client-key-data"]);
  return {
    server: cluster["server"]!,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(user["token"] === undefined ? {} : { token: user["token"] }),
  };
}
