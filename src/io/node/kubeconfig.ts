/**
 * Where the Kubernetes API is and who we are there: kubeconfig files with their contexts, certificates and exec plugins, or the
 * service account of the pod we run in. The reading is @kubernetes/client-node's; the requests are not.
 */
import type { RequestOptions } from "node:https";
import { KubeConfig, type Cluster, type User } from "@kubernetes/client-node";
import { Fault } from "#std/fault.ts";
import type { HttpClientOptions } from "./http-client.ts";

export interface KubeconfigOptions {
  /** A kubeconfig file. Absent: `$KUBECONFIG`, then `~/.kube/config`, then the pod's service account. */
  readonly path?: string;
  /** Absent: the file's current context. */
  readonly context?: string;
}

export interface KubeAccess {
  readonly context: string;
  /** The context's; `default` when it names none. */
  readonly namespace: string;
  readonly client: HttpClientOptions;
}

/** Tokens of exec plugins and token files change under way; they are asked for again after this many milliseconds. */
const TOKEN_AGE = 10_000;

/** Faults `kubeconfig.missing`, `kubeconfig.invalid` and `kubeconfig.unsupported` say what to change in which file. */
export async function readKubeconfig(options: KubeconfigOptions = {}): Promise<KubeAccess> {
  const config = new KubeConfig();
  try {
    if (options.path === undefined) config.loadFromDefault();
    else config.loadFromFile(options.path);
  } catch (cause) {
    throw refused("invalid", `${options.path ?? "kubeconfig"}: ${(cause as Error).message}`, cause);
  }
  if (options.context !== undefined) config.setCurrentContext(options.context);
  const { cluster, user, namespace } = chosen(config);
  refuseUnsupported(cluster, user);
  const tls = await credentials(config);
  return {
    context: config.getCurrentContext(),
    namespace,
    client: {
      server: cluster.server,
      ...(tls.ca === undefined ? {} : { ca: pem(tls.ca) }),
      ...(tls.cert === undefined ? {} : { certificate: pem(tls.cert) }),
      ...(tls.key === undefined ? {} : { key: pem(tls.key) }),
      ...(tls.servername === undefined ? {} : { serverName: tls.servername }),
      ...(cluster.skipTLSVerify ? { insecure: true } : {}),
      ...tokenOf(config, user, bearer(tls)),
    },
  };
}

function chosen(config: KubeConfig): { cluster: Cluster; user: User; namespace: string } {
  const name = config.getCurrentContext();
  const context = config.getContextObject(name);
  if (context === null) {
    const known = config.getContexts().map((each) => each.name);
    throw refused("invalid", `no context "${name}"; there are: ${known.join(", ") || "none"}`);
  }
  const cluster = config.getCluster(context.cluster);
  const user = config.getUser(context.user);
  if (cluster === null || user === null) {
    const missing = cluster === null ? `cluster "${context.cluster}"` : `user "${context.user}"`;
    throw refused("invalid", `context "${name}" names a ${missing} that is not there`);
  }
  // What client-node makes up when it has found nothing at all.
  if (name === "loaded-context" && cluster.server === "http://localhost:8080") {
    throw refused("missing", "no kubeconfig: name a file, set KUBECONFIG, or run in a pod with a service account");
  }
  return { cluster, user, namespace: context.namespace ?? "default" };
}

function refuseUnsupported(cluster: Cluster, user: User): void {
  const unsupported = {
    "proxy-url": cluster.proxyUrl,
    "username (servers since 1.19 refuse it)": user.username,
    "as (impersonation)": user.impersonateUser,
  };
  for (const [field, value] of Object.entries(unsupported)) {
    if (value !== undefined && value !== "") throw refused("unsupported", `${field} is not supported`);
  }
}

/** Certificates as PEM, and the Authorization header, asked of whatever plugin provides them. */
async function credentials(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    throw refused("invalid", `credentials: ${(cause as Error).message}`, cause);
  }
  return options;
}

/** client-node gives the bytes of a file, or the text that a plugin has printed. */
function pem(value: unknown): string {
  return typeof value === "string" ? value : Buffer.from(value as Uint8Array).toString("utf8");
}

function bearer(options: RequestOptions): string | undefined {
  const headers = options.headers as Record<string, string> | undefined;
  return headers?.["Authorization"]?.replace(/^Bearer /, "").trim();
}

function tokenOf(config: KubeConfig, user: User, first: string | undefined): { token?: string | (() => Promise<string>) } {
  if (first === undefined) return {};
  if (user.token !== undefined && user.token !== "") return { token: first };
  let token = Promise.resolve(first);
  let asked = performance.now();
  const current = async (): Promise<string> => {
    if (performance.now() - asked > TOKEN_AGE) {
      asked = performance.now();
      token = credentials(config).then((options) => bearer(options) ?? first);
    }
    return await token;
  };
  return { token: current };
}

function refused(what: "missing" | "invalid" | "unsupported", message: string, cause?: unknown): Fault {
  const options = { fault: "caller", retry: "never" } as const;
  return new Fault(`kubeconfig.${what}`, message, cause === undefined ? options : { ...options, cause });
}
