/** apid (TCP 50000): mutual TLS with the cluster's OS authority, roles by the client certificate's organisations (facts §6.6). */
import { AsyncLocalStorage } from "node:async_hooks";
import { createSecureServer } from "node:http2";
import type { TLSSocket } from "node:tls";
import { create, toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { standardKey } from "#io/node/pki.ts";
import { MachineConfigSpecSchema, State } from "#proto/cosi/resource_pb.js";
import type { GetRequest, GetResponseSchema } from "#proto/cosi/resource_pb.js";
import { MachineService } from "#proto/talos/machine_pb.js";
import type { KeyPair } from "#talos/pki.ts";

export const APID = 50_000;

export type Calls = ServiceImpl<typeof MachineService>;

/** Least role for a call; what is not here needs `os:admin`. */
const ROLES: Readonly<Record<string, string>> = {
  Version: "os:reader",
  ServiceList: "os:reader",
  EtcdMemberList: "os:reader",
  EtcdStatus: "os:reader",
  Events: "os:reader",
  List: "os:reader",
  Reboot: "os:operator",
};
const RANKS = ["os:reader", "os:operator", "os:admin"];
/** What may be called of a machine that is in maintenance, without any certificate. */
const MAINTENANCE = new Set(["Version", "ApplyConfiguration", "Reset", "Upgrade"]);

export interface ApidOptions {
  readonly serving: KeyPair;
  /** PEM; undefined: maintenance, where nobody shows a certificate. */
  readonly authority: string | undefined;
  readonly calls: Partial<Calls>;
  /** What it runs with; a machine in maintenance has none. */
  configuration?(): Promise<string | undefined>;
  /** Whether a name or an address in the header `nodes` is this machine. */
  isHere(node: string): boolean;
}

export interface Apid {
  close(): Promise<void>;
}

/** Resolves when it listens. */
export async function startApid({ serving, authority, calls, configuration, isHere }: ApidOptions): Promise<Apid> {
  const peers = new AsyncLocalStorage<readonly string[]>();
  const check = ({ method, requestHeader }: HandlerContext): void => {
    if (authority === undefined) {
      if (!MAINTENANCE.has(method.name))
        throw new ConnectError(`${method.name} is not implemented in maintenance mode`, Code.Unimplemented);
      return;
    }
    if (!mayCall(peers.getStore() ?? [], method.name)) throw new ConnectError("not authorized", Code.PermissionDenied);
    const elsewhere = nodesOf(requestHeader).find((node) => !isHere(node));
    if (elsewhere !== undefined) throw new ConnectError(`the stand-in passes no calls on to ${elsewhere}`, Code.Unimplemented);
  };
  const implementation = Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [name, guarded(call as Call, check)]),
  ) as Partial<Calls>;
  const get = async ({ type, id }: GetRequest, context: HandlerContext): Promise<MessageInitShape<typeof GetResponseSchema>> => {
    check(context);
    const text = type === "MachineConfigs.config.talos.dev" && id === "v1alpha1" ? await configuration?.() : undefined;
    if (text === undefined) throw new ConnectError(`the stand-in has no resource ${type}/${id}`, Code.NotFound);
    const spec = create(MachineConfigSpecSchema, { yamlMarshalled: Buffer.from(text) });
    return {
      resource: { metadata: { namespace: "config", type, id }, spec: { protoSpec: toBinary(MachineConfigSpecSchema, spec) } },
    };
  };
  const handle = connectNodeAdapter({
    routes: (router) => void router.service(MachineService, implementation).service(State, { get }),
  });
  const tls = { cert: serving.certificate, key: standardKey(serving.key) };
  const mutual = authority === undefined ? {} : { ca: authority, requestCert: true, rejectUnauthorized: true };
  const server = createSecureServer({ ...tls, ...mutual }, (request, response) =>
    peers.run(rolesOf(request.stream.session!.socket as TLSSocket), () => handle(request, response)),
  );
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {}).on("close", () => sessions.delete(session));
  });
  await new Promise<void>((resolve, reject) => void server.once("error", reject).listen(APID, "0.0.0.0", () => resolve()));
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
      }),
  };
}

type Call = (request: unknown, context: HandlerContext) => unknown;

function guarded(call: Call, check: (context: HandlerContext) => void): Call {
  return (request, context) => {
    check(context);
    return call(request, context);
  };
}

function mayCall(roles: readonly string[], name: string): boolean {
  const needed = RANKS.indexOf(ROLES[name] ?? "os:admin");
  return roles.some((role) => RANKS.indexOf(role) >= needed);
}

function rolesOf(socket: TLSSocket): readonly string[] {
  const organizations: string | string[] | undefined = socket.getPeerCertificate().subject?.O;
  if (organizations === undefined) return [];
  return typeof organizations === "string" ? [organizations] : organizations;
}

/** Repeated, and with commas. */
function nodesOf(headers: Headers): string[] {
  const values = [headers.get("nodes"), headers.get("node")].join(",");
  return values
    .split(",")
    .map((node) => node.trim())
    .filter((node) => node !== "");
}
