/** A server for the agent made of connect's own parts, which notes what it is told. Nothing of Sidero's server is in it. */
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { create } from "@bufbuild/protobuf";
import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { CreateServerRequest, ReconcileServerAddressesRequest, UpdateBMCInfoRequest } from "#proto/api_pb.js";
import { Agent } from "#proto/api_pb.js";
import type { HelloRequest, Order, Step } from "#proto/sidero/agent/v1/machine_pb.js";
import { BmcStanding, HelloResponseSchema, Machine } from "#proto/sidero/agent/v1/machine_pb.js";

export interface ForeignServer {
  /** What it was told, in order. */
  readonly hellos: HelloRequest[];
  readonly registrations: CreateServerRequest[];
  readonly addresses: ReconcileServerAddressesRequest[];
  readonly bmcs: UpdateBMCInfoRequest[];
  readonly steps: Step[];
  readonly lines: string[];
  readonly tokens: Set<string>;
  /** Sends an order to whoever listens now or comes next. */
  send(order: Order): void;
  /** Resolves when `isSo`; looks at every call. Rejects after `timeout` milliseconds with what there is. */
  until(isSo: (server: ForeignServer) => boolean, timeout: number): Promise<void>;
  /** The services, for a router. */
  readonly routes: (router: ConnectRouter) => void;
}

export interface ForeignServerOptions {
  /** Only upstream's service. */
  readonly upstream?: boolean;
  /** Name of the Server it answers. */
  readonly server?: string;
  readonly now?: () => bigint;
  /** It asks for the BMC to be set up. */
  readonly setupBmc?: boolean;
  /** It asks for the disks to be wiped; upstream's knows no orders. */
  readonly wipe?: { readonly order?: string; readonly insecure?: boolean; readonly rebootTimeout?: number };
  /** More of its calls, beside or instead of those here. */
  readonly agent?: Partial<ServiceImpl<typeof Agent>>;
  readonly machine?: Partial<ServiceImpl<typeof Machine>>;
}

export function createForeignServer(options: ForeignServerOptions = {}): ForeignServer {
  const orders: Order[] = [];
  const listeners = new Set<() => void>();
  const wake = (): void => {
    for (const listener of listeners) listener();
  };
  const change = (): Promise<void> =>
    new Promise((resolve) => {
      const listener = (): void => {
        listeners.delete(listener);
        resolve();
      };
      listeners.add(listener);
    });
  const server: ForeignServer = {
    hellos: [],
    registrations: [],
    addresses: [],
    bmcs: [],
    steps: [],
    lines: [],
    tokens: new Set(),
    send: (order) => {
      orders.push(order);
      wake();
    },
    until: async (isSo, timeout) => {
      const { promise: late, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(
        () =>
          reject(new Error(`not in ${timeout} ms; steps: ${server.steps.map((step) => `${step.name} ${step.text}`).join("; ")}`)),
        timeout,
      );
      try {
        while (!isSo(server)) await Promise.race([change(), late]);
      } finally {
        clearTimeout(timer);
      }
    },
    routes: (router) => {
      router.service(Agent, {
        createServer: (request, { requestHeader }) => {
          server.registrations.push(request);
          server.tokens.add(requestHeader.get("authorization") ?? "");
          wake();
          const name = options.upstream ? {} : { server: options.server ?? request.hardware?.system?.uuid ?? "" };
          const { order = "", insecure = false, rebootTimeout = 0 } = options.wipe ?? {};
          const wipe = options.wipe === undefined ? {} : { wipe: true, wipeOrder: order, insecureWipe: insecure, rebootTimeout };
          return { ...name, ...wipe, setupBmc: options.setupBmc === true };
        },
        updateBMCInfo: (request) => {
          server.bmcs.push(request);
          wake();
          return {};
        },
        reconcileServerAddresses: (request) => {
          server.addresses.push(request);
          wake();
          return {};
        },
        ...options.agent,
      });
      if (options.upstream) return;
      router.service(Machine, {
        hello: (request) => {
          server.hellos.push(request);
          wake();
          return create(HelloResponseSchema, {
            boot: "5b0f4a3e-7a53-4f7e-9d3a-d6a9f1f4c001",
            register: true,
            logMilliseconds: 200,
            silenceMilliseconds: 60_000,
            nowMilliseconds: options.now?.() ?? 0n,
          });
        },
        report: ({ steps }) => {
          server.steps.push(...steps);
          wake();
          return {};
        },
        offerBmc: () => ({ standing: BmcStanding.NONE }),
        prepareBmc: () => ({}),
        log: ({ first, lines }) => {
          server.lines.splice(Number(first), lines.length, ...lines);
          wake();
          return { next: first + BigInt(lines.length) };
        },
        async *orders(_request, { signal }) {
          while (!signal.aborted) {
            for (let order = orders.shift(); order !== undefined; order = orders.shift()) yield order;
            await change();
          }
        },
        ...options.machine,
      });
    },
  };
  return server;
}

/** Serves it in clear HTTP/2 on a port of its own; resolves to the port and what closes it. */
export async function listen(
  { routes }: ForeignServer,
  host = "127.0.0.1",
  port = 0,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sessions = new Set<{ destroy(): void }>();
  const http = createServer(connectNodeAdapter({ routes }));
  http.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => http.listen(port, host, resolve));
  return {
    port: (http.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        for (const session of sessions) session.destroy();
      }),
  };
}
