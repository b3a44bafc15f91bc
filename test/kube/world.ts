/** Controllers on an API server in this process, under a virtual clock, with a network that can be told to fail. */
import { sleep } from "#io/clock.ts";
import type { HttpTransport } from "#io/http.ts";
import { silent } from "#io/log.ts";
import type { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { families } from "#kinds/index.ts";
import { type Client, createClient } from "#kube/client.ts";
import type { Controller } from "#kube/controller.ts";
import { createRecorder } from "#kube/events.ts";
import { type Metrics, silentMetrics } from "#kube/metrics.ts";
import { Runtime } from "#kube/runtime.ts";
import { toCrd } from "#schema/crd.ts";
import { type Family, toExtension } from "#schema/family.ts";
import { Fault } from "#std/fault.ts";
import { type Fixture, startFixture } from "../apiserver/fixture.ts";

export interface World {
  readonly clock: VirtualClock;
  readonly fixture: Fixture;
  /** An observer's: never fails. */
  readonly client: Client;
  /** Requests of the controllers so far, reads and watches included: `PUT /apis/…`. */
  readonly requests: string[];
  /** A client as the controllers have it: its requests are counted, and fail when theirs do. */
  access(): Client;
  /** Runs controllers as a process of its own would; the returned function kills it between two requests. */
  run(...controllers: Controller[]): Process;
  /** Lets this many milliseconds pass, and everything that happens in them. */
  pass(milliseconds: number): Promise<void>;
  stop(): Promise<void>;
}

export interface Process {
  readonly runtime: Runtime;
  readonly ended: Promise<void>;
  kill(): Promise<void>;
}

export interface WorldOptions {
  readonly families?: readonly Family[];
  readonly metrics?: Metrics;
  /** Called with each request of a controller; what it throws is what the controller sees. After: the server has done it. */
  readonly before?: (request: string) => void;
  readonly after?: (request: string) => void;
  /** Milliseconds each piece of a watch takes to reach the controllers: their caches lag behind. Default 0. */
  readonly lag?: number;
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const kinds = options.families ?? families;
  const fixture = await startFixture({
    crds: kinds.map(toCrd),
    extensions: new Map(kinds.map((family) => [`${family.storage.group}/${family.storage.kind}`, toExtension(family)])),
  });
  const { clock } = fixture;
  const entropy = new SeededEntropy(7);
  const requests: string[] = [];
  const unreliable: HttpTransport = {
    async request(request) {
      const line = `${request.method} ${request.target.split("?")[0]}`;
      requests.push(line);
      options.before?.(line);
      const response = await fixture.transport.request(request);
      options.after?.(line);
      return options.lag === undefined || !request.target.includes("watch=true")
        ? response
        : { ...response, body: late(clock, options.lag, response.body) };
    },
    close: async () => {},
  };
  const ports = { clock, entropy, log: silent };
  const pass = async (milliseconds: number): Promise<void> => {
    // Small steps: what one request sets off may take several turns of the event loop, which the virtual clock does not count.
    for (let passed = 0; passed < milliseconds; passed += 10) await clock.advance(10);
    await fixture.idle();
  };
  const running = new Set<Process>();
  return {
    clock,
    fixture,
    client: createClient({ ...ports, transport: fixture.transport, userAgent: "observer" }),
    requests,
    access: () => createClient({ ...ports, transport: unreliable }),
    run(...controllers) {
      const stop = new AbortController();
      const client = createClient({ ...ports, transport: unreliable });
      const events = createRecorder({ ...ports, client, component: "sidero", instance: "test" });
      const runtime = new Runtime({ ...ports, client, events, metrics: options.metrics ?? silentMetrics, controllers });
      const ended = runtime.run(stop.signal);
      const process = {
        runtime,
        ended,
        async kill() {
          running.delete(process);
          stop.abort(new Fault("test.killed", "killed", { fault: "world", retry: "never" }));
          await Promise.all([ended, clock.advance(0)]);
        },
      };
      running.add(process);
      return process;
    },
    pass,
    async stop() {
      for (const process of running) await process.kill();
      await fixture.stop();
    },
  };
}

async function* late(
  clock: VirtualClock,
  lag: number,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of body) {
    await sleep(clock, lag);
    yield piece;
  }
}

/** Requests that change something. */
export function isWrite(request: string): boolean {
  return !request.startsWith("GET ");
}
