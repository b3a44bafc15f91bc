/** A server of Talos' machine API, for the client's sake: mutual TLS, roles from the certificate's organisations, scripted answers. */
import { Code, ConnectError } from "@connectrpc/connect";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { createSecureServer } from "node:http2";
import type { Http2SecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { AsyncLocalStorage } from "node:async_hooks";
import type { TLSSocket } from "node:tls";
import { standardKey, systemPki } from "#io/node/pki.ts";
import { State } from "#proto/cosi/resource_pb.js";
import { MachineService } from "#proto/talos/machine_pb.js";
import type { KeyPair } from "#talos/pki.ts";

export interface Apid {
  readonly port: number;
  readonly endpoint: string;
  /** What was asked, with the header `nodes`. */
  readonly calls: { readonly name: string; readonly nodes: string | null; readonly request: unknown }[];
  close(): Promise<void>;
}

export type Answers = Partial<ServiceImpl<typeof MachineService>>;

const HOUR = 3_600_000;
const READ = new Set(["Version", "Hostname", "ServiceList", "EtcdMemberList", "EtcdStatus", "Events"]);

export async function authority(): Promise<KeyPair> {
  return systemPki.issue({
    algorithm: "ed25519",
    subject: [{ type: "O", value: "talos" }],
    notBefore: Date.now() - HOUR,
    notAfter: Date.now() + HOUR,
    isAuthority: true,
    usages: ["server", "client"],
  });
}

/** `configuration`: the encoded spec of the resource. Without `ca` it is in maintenance: a certificate of nobody's, and nobody is asked for one. */
export async function startApid(
  ca: KeyPair | undefined,
  answers: Answers,
  configuration: () => Uint8Array = () => new Uint8Array(),
): Promise<Apid> {
  const pair = await systemPki.issue(
    {
      algorithm: "ed25519",
      subject: [{ type: "CN", value: "machine" }],
      notBefore: Date.now() - HOUR,
      notAfter: Date.now() + HOUR,
      isAuthority: false,
      usages: ["server"],
      names: ["127.0.0.1"],
    },
    ca,
  );
  const calls: Apid["calls"] = [];
  const peers = new AsyncLocalStorage<string[]>();
  const implementation = Object.fromEntries(
    Object.entries(answers).map(([method, answer]) => [method, observed(method, answer as Method, calls, peers)]),
  ) as Answers;
  const get = observed("get", () => ({ resource: { spec: { protoSpec: configuration() } } }), calls, peers) as Get;
  const handle = connectNodeAdapter({
    routes: (router) => void router.service(MachineService, implementation).service(State, { get }),
  });
  const server = createSecureServer(
    {
      cert: pair.certificate,
      key: standardKey(pair.key),
      ...(ca === undefined ? {} : { ca: ca.certificate, requestCert: true, rejectUnauthorized: true }),
    },
    (request, response) => peers.run(rolesOf(request.stream.session!.socket as TLSSocket), () => handle(request, response)),
  );
  const sessions = sessionsOf(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    endpoint: `127.0.0.1:${port}`,
    calls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
      }),
  };
}

type Get = ServiceImpl<typeof State>["get"];
type Method = (request: unknown, context: HandlerContext) => unknown;

function observed(method: string, answer: Method, calls: Apid["calls"], peers: AsyncLocalStorage<string[]>): Method {
  return (request, context) => {
    const { name } = context.method;
    const roles = peers.getStore() ?? [];
    if (!roles.includes("os:admin") && !(READ.has(name) && roles.includes("os:reader")))
      throw new ConnectError("not authorized", Code.PermissionDenied);
    calls.push({ name: method, nodes: context.requestHeader.get("nodes"), request });
    return answer(request, context);
  };
}

/** A machine in maintenance takes everybody for an administrator, as far as these tests go. */
function rolesOf(socket: TLSSocket): string[] {
  const organizations: string | string[] | undefined = socket.getPeerCertificate().subject?.O;
  if (organizations === undefined) return ["os:admin"];
  return typeof organizations === "string" ? [organizations] : organizations;
}

function sessionsOf(server: Http2SecureServer): Set<{ destroy(): void }> {
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  return sessions;
}
