/** Calls to the endpoints of a machine: one HTTP/2 connection to each, deadlines, and which endpoint is asked next. */
import type { CallOptions, Client } from "@connectrpc/connect";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { SecureClientSessionOptions } from "node:http2";
import { standardKey } from "#io/node/pki.ts";
import { State } from "#proto/cosi/resource_pb.js";
import { MachineService } from "#proto/talos/machine_pb.js";
import { Fault } from "#std/fault.ts";
import type { MaintenanceTarget, TalosTarget } from "#talos/api.ts";
import { faultOf, passedOn } from "./faults.ts";

export type Machine = Client<typeof MachineService>;
export type Resources = Client<typeof State>;

/** What every message of an answer has. */
export interface Answered {
  readonly metadata?:
    | { readonly error: string; readonly status?: { readonly code: number; readonly message: string } }
    | undefined;
}

export interface CallSettings {
  readonly name: string;
  /** Milliseconds; for a stream, none. */
  readonly timeout?: number;
  /** Asking twice does no harm. */
  readonly isRead: boolean;
  readonly isQuiet?: boolean;
}

const PORT = 50_000;
const TIMEOUT = 10_000;
const PING = 20_000;
/** gRPC's code for an error that says no more than that. */
const UNKNOWN = 2;

interface Endpoint {
  readonly name: string;
  readonly machine: Machine;
  readonly resources: Resources;
  readonly sessions: Http2SessionManager;
}

export class Line {
  readonly #endpoints: readonly Endpoint[];
  readonly #node: string | undefined;

  constructor(target: TalosTarget | MaintenanceTarget) {
    const tls = tlsOf(target);
    this.#endpoints = target.endpoints.map((name) => open(name, tls));
    this.#node = "maintenance" in target ? undefined : target.node;
  }

  /**
   * What the first endpoint answers that can be reached. Only what does no harm twice is asked again of another after a deadline; and
   * where endpoints are the machines themselves, what changes one is never asked of another.
   */
  async call<T>(
    { name, timeout = TIMEOUT, isRead, isQuiet = false }: CallSettings,
    ask: (machine: Machine, options: CallOptions, resources: Resources) => Promise<T>,
  ): Promise<T> {
    let last: Fault | undefined;
    for (const endpoint of this.#endpoints) {
      try {
        const answer = await ask(endpoint.machine, { timeoutMs: timeout, headers: this.#headers() }, endpoint.resources);
        check(answer, name, endpoint.name);
        return answer;
      } catch (error) {
        last = faultOf(error, name, endpoint.name, isQuiet);
        const neverSent = last.facts["reason"] === "connection" || last.facts["reason"] === "certificate";
        const mayAskAnother = isRead || (this.#node !== undefined && neverSent);
        if (last.code !== "talos.unreachable" || !mayAskAnother) throw last;
      }
    }
    throw last ?? faultOf(new Fault("talos.unreachable", `${name}: no endpoints`, { fault: "caller", retry: "soon" }), name, "");
  }

  /** The first endpoint, for streams that have no end. */
  first(): { machine: Machine; name: string; headers: Record<string, string> } {
    const [endpoint] = this.#endpoints;
    if (endpoint === undefined) throw new Fault("talos.unreachable", "no endpoints", { fault: "caller", retry: "soon" });
    return { machine: endpoint.machine, name: endpoint.name, headers: this.#headers() };
  }

  close(): void {
    for (const { sessions } of this.#endpoints) sessions.abort();
  }

  #headers(): Record<string, string> {
    return this.#node === undefined ? {} : { nodes: this.#node };
  }
}

/** The machine behind the endpoint may have failed where the endpoint did not. */
function check(answer: unknown, call: string, endpoint: string): void {
  const messages = (answer as { messages?: readonly Answered[] }).messages ?? [];
  const metadata = messages[0]?.metadata;
  if (metadata === undefined || metadata.error === "") return;
  throw passedOn(call, endpoint, metadata.status?.code ?? UNKNOWN, metadata.error);
}

function tlsOf(target: TalosTarget | MaintenanceTarget): SecureClientSessionOptions {
  // In maintenance there is no authority that the machine's certificate could be of.
  if ("maintenance" in target) return { rejectUnauthorized: false };
  return { ca: target.ca, cert: target.crt, key: standardKey(target.key), minVersion: "TLSv1.2" };
}

function open(name: string, tls: SecureClientSessionOptions): Endpoint {
  const baseUrl = urlOf(name);
  const sessions = new Http2SessionManager(baseUrl, { pingIntervalMs: PING, idleConnectionTimeoutMs: 5 * 60_000 }, tls);
  const transport = createGrpcTransport({ baseUrl, sessionManager: sessions, readMaxBytes: 16 * 1024 * 1024 });
  return { name, machine: createClient(MachineService, transport), resources: createClient(State, transport), sessions };
}

/** `host`, `host:port`, an IPv6 address with brackets or without. */
export function urlOf(endpoint: string): string {
  const isBareV6 = /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(endpoint);
  const host = isBareV6 ? `[${endpoint}]` : endpoint;
  return /:\d+$/.test(host) && !isBareV6 ? `https://${host}` : `https://${host}:${PORT}`;
}
