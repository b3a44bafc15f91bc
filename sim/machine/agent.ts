/** The agent in a simulated machine: our own code, on a Linux that is a table of files, calling by gRPC over the simulated network. */
import { createTransport } from "@connectrpc/connect/protocol-grpc";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { argumentOf, parseCommandLine } from "#agent/steps/command-line.ts";
import { createAgentLog } from "#agent/steps/agent-log.ts";
import { runAgent } from "#agent/steps/agent.ts";
import { createPciNames } from "#agent/steps/hardware/pci-names.ts";
import { hardwareReport, identityOf } from "#agent/steps/hardware/report.ts";
import { captureTree } from "#agent/steps/hardware/tree.ts";
import { createRoad } from "#agent/steps/road.ts";
import type { HttpRequest, HttpResponse } from "#io/http.ts";
import type { SeededEntropy } from "#io/memory/entropy.ts";
import type { MemoryMachine } from "#io/memory/machine.ts";
import type { HardwareInformation } from "#proto/api_pb.js";
import type { Life } from "./life.ts";

export interface AgentPorts {
  readonly life: Life;
  readonly entropy: SeededEntropy;
  readonly linux: MemoryMachine;
  readonly commandLine: string;
  /** One exchange with `host:port`. */
  readonly request: (authority: string, request: HttpRequest) => Promise<HttpResponse>;
  readonly print: (line: string) => void;
}

const VERSION = "sim";
/** Milliseconds. */
const CALL = 30_000;
const MOST_BYTES = 4 * 1024 * 1024;

/** Runs until the machine's power goes. */
export async function runSimulatedAgent({ life, entropy, linux, commandLine, request, print }: AgentPorts): Promise<void> {
  const line = parseCommandLine(commandLine);
  const endpoint = argumentOf(line, "sidero.endpoint") ?? "";
  let token = argumentOf(line, "sidero.token");
  const log = createAgentLog(life, print);
  let looked: HardwareInformation | undefined;
  await runAgent({
    transport: grpcTransport(endpoint, life, request, () => token),
    machine: linux,
    clock: life,
    log,
    road: createRoad(life, log),
    identity: identityOf(await captureTree(linux, "identity")),
    version: VERSION,
    bootMac: argumentOf(line, "sidero.mac") ?? "",
    facts: Object.fromEntries(
      line.flatMap(({ name, value = "" }) => (name.startsWith("sidero.") && name !== "sidero.token" ? [[name, value]] : [])),
    ),
    // Nothing of it changes while the machine runs; looking every minute would be most of what a simulation does.
    inspect: async () => {
      looked ??= hardwareReport({
        tree: await captureTree(linux),
        addresses: linux.addresses(),
        names: createPciNames(""),
        neighbours: new Map(),
        agentVersion: VERSION,
      });
      return looked;
    },
    renew: (renewed) => (token = renewed),
    chance: () => entropy.fraction(),
  });
}

/** gRPC's bytes over the simulated network. An end of the machine ends it without a word. */
function grpcTransport(
  authority: string,
  life: Life,
  request: AgentPorts["request"],
  token: () => string | undefined,
): Transport {
  const transport = createTransport({
    baseUrl: `http://${authority}`,
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: MOST_BYTES,
    readMaxBytes: MOST_BYTES,
    writeMaxBytes: MOST_BYTES,
    httpClient: async ({ url, method, header, body, signal }) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of body ?? []) pieces.push(piece);
      const bearer = token();
      if (bearer !== undefined) header.set("authorization", `Bearer ${bearer}`);
      const answer = await life.live(
        request(authority, {
          method,
          target: new URL(url).pathname,
          headers: Object.fromEntries(header),
          body: Buffer.concat(pieces),
          ...(signal === undefined ? {} : { signal }),
        }),
      );
      const trailer = new Headers();
      return { status: answer.status, header: headersOf(answer.headers), body: read(answer, trailer, life), trailer };
    },
  });
  return {
    // connect counts the time of a call by the clock on the wall.
    async unary(method, signal, timeout, ...rest) {
      const late = new AbortController();
      const stop = (): void => late.abort(signal?.reason);
      signal?.addEventListener("abort", stop, { once: true });
      const timer = life.after(timeout ?? CALL, () => late.abort(new ConnectError("no answer in time", Code.DeadlineExceeded)));
      try {
        return await life.live(transport.unary(method, late.signal, undefined, ...rest));
      } finally {
        timer.cancel();
        signal?.removeEventListener("abort", stop);
      }
    },
    stream: (method, signal, _timeout, ...rest) => transport.stream(method, signal, undefined, ...rest),
  };
}

async function* read(answer: HttpResponse, trailer: Headers, life: Life): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = answer.body[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await life.live(pieces.next());
    if (done === true) break;
    yield value;
  }
  for (const [name, value] of Object.entries(answer.trailers?.() ?? {})) trailer.set(name, value);
}

function headersOf(headers: HttpResponse["headers"]): Headers {
  const found = new Headers();
  for (const [name, value] of Object.entries(headers)) found.set(name, Array.isArray(value) ? value.join(", ") : value);
  return found;
}
