/**
 * A kubeconfig that came with a Secret: its current context's server and credentials. Others write these, so only what stands in the text itself
 * counts: files of this host are not read, programs not run, proxies not asked.
 */
import { parse } from "yaml";
import type { HttpTarget } from "#io/http.ts";
import { Fault } from "#std/fault.ts";
import { isObject, type JsonObject } from "#std/json.ts";

/** Bytes; those of Cluster API have some 6 KiB. */
const LONGEST = 256 * 1024;
const UNSUPPORTED = {
  cluster: ["certificate-authority", "proxy-url", "insecure-skip-tls-verify"],
  user: ["client-certificate", "client-key", "tokenFile", "exec", "auth-provider", "username", "as"],
} as const;

/** Fault `kube.workload` says what is wrong with it, and never what is in it. */
export function parseKubeconfig(text: string): HttpTarget {
  if (text.length > LONGEST) throw refused(`is longer than ${LONGEST / 1024} KiB`);
  const config = read(text);
  const current = config["current-context"];
  const context = entry(config, "contexts", "context", current);
  const cluster = entry(config, "clusters", "cluster", context["cluster"]);
  const user = entry(config, "users", "user", context["user"]);
  for (const [part, value] of [["cluster", cluster] as const, ["user", user] as const]) {
    const field = UNSUPPORTED[part].find((name) => value[name] !== undefined && value[name] !== false && value[name] !== "");
    if (field !== undefined) throw refused(`uses ${field}, which is not supported here`);
  }
  const [ca, certificate, key] = [
    pem(cluster, "certificate-authority-data"),
    pem(user, "client-certificate-data"),
    pem(user, "client-key-data"),
  ];
  const { token, ["tls-server-name"]: serverName } = { ...user, ...cluster };
  return {
    server: serverOf(cluster["server"]),
    ...(ca && { ca }),
    ...(certificate && { certificate }),
    ...(key && { key }),
    ...(typeof token === "string" && token !== "" && { token }),
    ...(typeof serverName === "string" && serverName !== "" && { serverName }),
  };
}

function read(text: string): JsonObject {
  let config: unknown;
  try {
    // Aliases could make much of little.
    config = parse(text, { maxAliasCount: 0, uniqueKeys: false, prettyErrors: false, logLevel: "error" });
  } catch {
    // The parser's words quote the text.
    throw refused("is not YAML");
  }
  if (!isObject(config)) throw refused("is not a mapping");
  return config;
}

/** The named entry of one of the three lists. */
function entry(config: JsonObject, list: string, part: string, name: unknown): JsonObject {
  const entries = Array.isArray(config[list]) ? config[list] : [];
  const found = entries.find((each) => isObject(each) && each["name"] === name);
  const value = isObject(found) ? found[part] : undefined;
  if (!isObject(value)) throw refused(`has no ${part} of the name it refers to`);
  return value;
}

function serverOf(value: unknown): string {
  const url = typeof value === "string" ? URL.parse(value) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) throw refused("has a server that is no URL");
  return value as string;
}

function pem(part: JsonObject, field: string): string | undefined {
  const value = part[field];
  if (typeof value !== "string" || value === "") return undefined;
  try {
    return atob(value);
  } catch {
    throw refused(`has a ${field} that is not base64`);
  }
}

function refused(problem: string): Fault {
  return new Fault("kube.workload", `the kubeconfig ${problem}`, { fault: "caller", retry: "later" });
}
