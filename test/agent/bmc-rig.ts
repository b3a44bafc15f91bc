/** The set-up of a BMC from end to end in one process: our steps, our record and gate, a BMC by its bytes. It can be stopped before and after each effect. */
import { createBmcGate } from "#agent/api/bmc-gate.ts";
import { BmcRecords } from "#agent/api/bmc-record.ts";
import { createBmcAccounts } from "#agent/api/bmc.ts";
import type { BmcAccounts } from "#agent/api/bmc.ts";
import type { Boot } from "#agent/api/boots.ts";
import type { Registry } from "#agent/api/registry.ts";
import { setUpBmc } from "#agent/steps/bmc/setup.ts";
import type { BmcServer } from "#agent/steps/bmc/server.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { createMemoryIpmiDevice } from "#io/memory/ipmi-device.ts";
import type { Log } from "#io/log.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { BMCInfoSchema } from "#proto/api_pb.js";
import { Fault } from "#std/fault.ts";
import { create } from "@bufbuild/protobuf";
import type { BmcLogin } from "#agent/api/bmc-prover.ts";
import type { IpmiAnswer, IpmiMessage } from "#io/ipmi-device.ts";
import type { BmcModel } from "./bmc-model.ts";

export const MAC = "52:54:00:12:34:56";
const ADDRESS = "10.0.0.5";

export class Killed extends Error {}

/** A BMC from both sides. */
export interface RigBmc {
  answer(message: IpmiMessage): IpmiAnswer | Promise<IpmiAnswer>;
  /** Throws or rejects with `bmc.*`. */
  login(login: BmcLogin): void | Promise<void>;
}

export class Rig<B extends RigBmc = BmcModel> {
  readonly bmc: B;
  readonly clock: VirtualClock;
  readonly lines: string[] = [];
  readonly events: string[] = [];
  /** What is on record, and outlives everything. */
  server: Server;
  secret: Record<string, string> | undefined;
  /** Effects so far; the one with this number does not happen, or nobody hears of it. */
  effects = 0;
  killAt: { readonly effect: number; readonly when: "before" | "after" } | undefined;
  readonly #entropy = new SeededEntropy(7);

  constructor(bmc: B, clock = new VirtualClock()) {
    this.bmc = bmc;
    this.clock = clock;
    this.server = {
      apiVersion: "metal.sidero.dev/v1alpha2",
      kind: "Server",
      metadata: { name: "6f0c34b6-8ad1-4b4e-9d6c-1d3f6ab54d10", uid: "u1" },
      spec: { accepted: true, hardware: { network: { interfaces: [{ mac: MAC }] } } },
    };
  }

  /** One attempt of an agent that has just started, asked by registration or, with `rotate`, by an order. */
  async attempt(rotate = false): Promise<string> {
    const run = setUpBmc({
      open: async () => createMemoryIpmiDevice((message) => this.#effect(async () => this.bmc.answer(message))),
      server: this.#serverOf({ rotate }),
      clock: this.clock,
      log: this.#log,
      bytes: (length) => this.#entropy.bytes(length),
      rotate,
      signal: new AbortController().signal,
    });
    return await this.#during(run);
  }

  /** A server that starts again looks after what was left, without any agent. */
  async heal(): Promise<string> {
    return await this.#accounts().heal(this.server);
  }

  /** Names of what logs in now, of what is on record. */
  async working(address: string): Promise<string[]> {
    const pending = JSON.parse(this.secret?.["pending"] ?? "[]") as { user: string; password: string }[];
    const { user = "", pass = "" } = this.secret ?? {};
    const known = [{ user, password: pass }, ...pending].filter((each) => each.user !== "");
    const found: string[] = [];
    for (const each of known) if (await this.#logsIn({ ...each, address, port: 623 })) found.push(each.user);
    return found;
  }

  /** Whether the Server's way works: what a power command would use. */
  async isDone(): Promise<boolean> {
    const { endpoint = "", port = 0, userFrom, passFrom } = this.server.spec?.bmc ?? {};
    const { user = "", pass = "" } = this.secret ?? {};
    const refers = userFrom !== undefined && passFrom !== undefined;
    return refers && (await this.#logsIn({ user, password: pass, address: endpoint, port }));
  }

  async #logsIn(login: BmcLogin): Promise<boolean> {
    return await this.#during(
      (async () => {
        await this.bmc.login(login);
      })().then(
        () => true,
        () => false,
      ),
    );
  }

  /** Time passes as long as something goes on. */
  async #during<T>(run: Promise<T>): Promise<T> {
    let isOver = false;
    const over = (): void => void (isOver = true);
    run.then(over, over);
    for (let i = 0; i < 10_000 && !isOver; i++) await this.clock.advance(500);
    return await run;
  }

  async #effect<T>(run: () => Promise<T>): Promise<T> {
    // Whoever was killed does nothing any more.
    if (this.killAt !== undefined && this.effects > this.killAt.effect) throw new Killed();
    const isLast = this.killAt?.effect === this.effects++;
    if (isLast && this.killAt?.when === "before") throw new Killed();
    const result = await run();
    if (isLast) throw new Killed();
    return result;
  }

  #accounts(): BmcAccounts {
    const registry: Registry = {
      server: async () => this.server,
      binding: async () => undefined,
      create: async () => undefined,
      edit: async (_, change) => {
        await this.#effect(async () => (this.server = change(this.server)));
        return this.server;
      },
      secret: async () => this.secret,
      pendingAccounts: async () => (this.secret?.["pending"] === undefined ? [] : [this.server.metadata.name!]),
      putSecret: async (_, { data }) => {
        await this.#effect(async () => {
          const merged = { ...this.secret, ...data };
          this.secret = Object.fromEntries(
            Object.entries(merged).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
          );
        });
      },
      event: (_, type, reason, message) => void this.events.push(`${type} ${reason}: ${message}`),
    };
    return createBmcAccounts({
      registry,
      records: new BmcRecords(registry, "default"),
      gate: createBmcGate({ registry, neighbour: async () => MAC, log: this.#log, onRefused: () => {} }),
      prove: async (login) => await this.#effect(async () => this.bmc.login(login)),
      clock: this.clock,
      onPending: () => {},
    });
  }

  #serverOf({ rotate }: { readonly rotate: boolean }): BmcServer {
    const boot: Boot = {
      id: "b1",
      caller: { address: ADDRESS, token: { purpose: "agent", boot: "b1", address: ADDRESS, expires: 0 } },
      facts: { macs: [MAC] },
      bmcAsked: new Set([rotate ? "order" : ""]),
      nextLine: 0,
    };
    const accounts = this.#accounts();
    return {
      offer: async (ways) => {
        const addresses = ways.map(({ address, port }) => ({ ip: address, port }));
        const { standing: state, user, detail } = await accounts.offer(this.server, boot, addresses);
        return { state, user, detail };
      },
      prepare: async (user, password) => await accounts.prepare(this.server, boot, { user, password }),
      prove: async ({ address, port }, user, pass) => {
        try {
          await accounts.update(this.server, boot, create(BMCInfoSchema, { ip: address, port, user, pass }));
          return { state: "proven", detail: "" };
        } catch (error) {
          if (Fault.is(error, "agent.bmc-denied")) return { state: "denied", detail: error.message };
          if (Fault.is(error, "agent.bmc-unreachable")) return { state: "unreachable", detail: error.message };
          throw error;
        }
      },
    };
  }

  readonly #log: Log = {
    error: (text) => void this.lines.push(text),
    warn: (text) => void this.lines.push(text),
    info: (text) => void this.lines.push(text),
    debug() {},
    with: () => this.#log,
  };
}
