/**
 * What the agent has set up on a machine's BMC, as the Server's way to it. It becomes that only when this process has logged in with it over the network: an
 * account that does not work counts for nothing, and the agent is told why.
 */
import { waysOf } from "#decide/bmc-setup/ways.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Clock } from "#io/clock.ts";
import type { BMCInfo } from "#proto/api_pb.js";
import { parseIpv4, parseIpv6 } from "#std/address.ts";
import { Fault } from "#std/fault.ts";
import type { BmcGate } from "./bmc-gate.ts";
import type { ProveBmc } from "./bmc-prover.ts";
import type { BmcRecords, Credentials } from "./bmc-record.ts";
import { bmcSecretName, unwantedBecause } from "#decide/registration/bmc.ts";
import type { Boot } from "./boots.ts";
import { refusal } from "./faults.ts";
import type { Registry, ServerSpec } from "./registry.ts";

type Bmc = NonNullable<ServerSpec["bmc"]>;

export interface BmcAddress {
  readonly ip: string;
  readonly port: number;
}

export interface Offered {
  readonly standing: "none" | "works" | "denied" | "unreachable";
  /** Name of the account on record; "" for none. */
  readonly user: string;
  readonly detail: string;
}

/** All reject with the Faults of {@link BmcGate.check}, `agent.malformed`, and as the registry does. */
export interface BmcAccounts {
  /** Logs in with everything on record at every address. What works becomes the Server's way. */
  offer(server: Server, boot: Boot, addresses: readonly BmcAddress[]): Promise<Offered>;
  prepare(server: Server, boot: Boot, credentials: Credentials): Promise<void>;
  /**
   * Resolves to what was set, for people. Fault `agent.bmc-denied` or `agent.bmc-unreachable` (world) when logging in failed. Upstream's agent tells the
   * address in one call, which changes nothing yet, and user and password in another.
   */
  update(server: Server, boot: Boot, info: BMCInfo): Promise<string>;
  /**
   * Without an agent: if what the Server refers to does not work, whatever else is on record is tried at the address on record. `fine`: nothing to do.
   * `denied`: nothing on record works.
   */
  heal(server: Server): Promise<"fine" | "healed" | "denied" | "unreachable">;
}

export interface BmcAccountsOptions {
  readonly registry: Registry;
  readonly records: BmcRecords;
  readonly gate: BmcGate;
  readonly prove: ProveBmc;
  readonly clock: Clock;
  /** Told of a Server whose BMC is about to get another password. */
  readonly onPending: (server: string) => void;
}

const IPMI_PORT = 623;
const LONGEST_NAME = 255;
/** Addresses of one BMC that are tried. */
const MOST_ADDRESSES = 8;
/** Milliseconds for one login: a slow BMC takes ten for its first. */
const LOGIN = 20_000;
/** What says that the BMC was there and would not have the account. */
const DENIALS = new Set(["bmc.denied", "bmc.refused", "bmc.unsupported"]);

export function createBmcAccounts({ registry, records, gate, prove, clock, onPending }: BmcAccountsOptions): BmcAccounts {
  /** One at a time for a machine: a BMC has few sessions, and the record is read before it is written. */
  const turns = new Map<string, Promise<unknown>>();

  function inTurn<T>({ metadata }: Server, run: () => Promise<T>): Promise<T> {
    const name = metadata.name!;
    const turn = (turns.get(name) ?? Promise.resolve()).then(run);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    turns.set(name, settled);
    void settled.then(() => turns.get(name) === settled && turns.delete(name));
    return turn;
  }

  /** Undefined when it worked. */
  async function login({ ip, port }: BmcAddress, { user, password }: Credentials): Promise<Fault | undefined> {
    const late = new AbortController();
    const timer = clock.after(LOGIN, () =>
      late.abort(new Fault("bmc.unreachable", `no login in ${LOGIN / 1000} s`, { fault: "world", retry: "soon" })),
    );
    try {
      await prove({ address: ip, port: port || IPMI_PORT, user, password }, late.signal);
      return undefined;
    } catch (error) {
      return Fault.from(error);
    } finally {
      timer.cancel();
    }
  }

  /** The proof has been given: first what the Server refers to, then the Server. */
  async function settle(server: Server, { ip, port }: BmcAddress, credentials: Credentials): Promise<string> {
    await records.promote(server, credentials);
    const from = (key: string): NonNullable<Bmc["userFrom"]> => ({
      secretKeyRef: { namespace: records.namespace, name: bmcSecretName(server), key },
    });
    let isChanged = false;
    const after = await registry.edit(server.metadata.name!, (current) => {
      const problem = unwantedBecause(current);
      if (problem !== undefined) throw refusal("agent.not-wanted", problem);
      const way = { endpoint: ip, port: port || IPMI_PORT };
      const before = current.spec?.bmc;
      isChanged = before?.endpoint !== way.endpoint || before.port !== way.port;
      const bmc: Bmc = { ...before, ...way, userFrom: from("user"), passFrom: from("pass") };
      return { ...current, spec: { accepted: true, ...current.spec, bmc } };
    });
    const said = `address ${ip}, user and password`;
    const what = isChanged ? "set up by the agent" : "password changed by the agent";
    if (after !== undefined) registry.event(after, "Normal", "BMC Update", `BMC ${what} and proven by logging in: ${said}`);
    return said;
  }

  return {
    offer: (server, boot, addresses) =>
      inTurn(server, async () => {
        const reachable = addresses.slice(0, MOST_ADDRESSES).filter(isUsable);
        await gate.check(server, boot);
        const { current, pending } = await records.read(server);
        const known = current === undefined ? pending : [current, ...pending];
        const user = known[0]?.user ?? "";
        if (known.length === 0) return { standing: "none", user, detail: "there is no account on record" };
        const problems: string[] = [];
        let isDenied = false;
        for (const address of reachable) {
          for (const credentials of known) {
            const problem = await login(address, credentials);
            if (problem === undefined) {
              if (credentials !== current || !isWay(server, address)) await settle(server, address, credentials);
              // What else was on its way never arrives: its agent is here, and begins anew.
              else await records.promote(server, current);
              finished(boot);
              return { standing: "works", user: credentials.user, detail: `logged in at ${address.ip}` };
            }
            problems.push(`${address.ip}: ${problem.message}`);
            // Others would not get through there either.
            if (!DENIALS.has(problem.code)) break;
            isDenied = true;
          }
        }
        const detail = [...new Set(problems)].join("; ") || "the BMC has no address";
        return { standing: isDenied ? "denied" : "unreachable", user, detail };
      }),

    prepare: (server, boot, credentials) =>
      inTurn(server, async () => {
        await gate.check(server, boot);
        check({ ip: "", port: 0, user: credentials.user, pass: credentials.password });
        if (credentials.user === "" || credentials.password === "") throw refusal("agent.malformed", "user, pass: missing");
        await records.add(server, credentials);
        onPending(server.metadata.name!);
      }),

    update: (server, boot, info) =>
      inTurn(server, async () => {
        const { ip, port, user, pass } = info;
        await gate.check(server, boot);
        check(info);
        const hasCredentials = user !== "" && pass !== "";
        if (ip === "" && !hasCredentials) throw refusal("agent.malformed", "bmc_info: neither ip nor user and pass");
        if (ip !== "" && !isUsable(info)) throw refusal("agent.malformed", `bmc_info.ip: ${ip} leads to no BMC`);
        if (ip !== "") boot.bmcAddress = { ip, port };
        if (!hasCredentials) return `address ${ip}, which waits for user and password`;
        const address = boot.bmcAddress ?? wayOf(server);
        if (address === undefined) throw refusal("agent.malformed", "bmc_info.ip: missing, and none was told before");
        const credentials = { user, password: pass };
        // Whatever happens now, it is not lost.
        await records.add(server, credentials);
        const problem = await login(address, credentials);
        if (problem !== undefined) throw unproven(address, problem);
        const said = await settle(server, address, credentials);
        finished(boot);
        return said;
      }),

    heal: (server) =>
      inTurn(server, async () => {
        const { current, pending } = await records.read(server);
        const address = wayOf(server);
        if (pending.length === 0 || address === undefined || unwantedBecause(server) !== undefined) return "fine";
        for (const credentials of current === undefined ? pending : [current, ...pending]) {
          const problem = await login(address, credentials);
          // What is on its way stays on record: its agent may be slow.
          if (problem === undefined && credentials === current) return "fine";
          if (problem === undefined) {
            await settle(server, address, credentials);
            return "healed";
          }
          if (!DENIALS.has(problem.code)) return "unreachable";
        }
        return "denied";
      }),
  };
}

/** What registration asked for is done; an order is until its step ends. */
function finished(boot: Boot): void {
  boot.bmcAsked.delete("");
  delete boot.bmcAddress;
}

function unproven({ ip }: BmcAddress, problem: Fault): Fault {
  const code = DENIALS.has(problem.code) ? "agent.bmc-denied" : "agent.bmc-unreachable";
  return new Fault(code, `cannot log in at ${ip}: ${problem.message}`, { fault: "world", retry: "later", cause: problem });
}

function wayOf({ spec }: Server): BmcAddress | undefined {
  const { endpoint = "", port = 0 } = spec?.bmc ?? {};
  return endpoint === "" ? undefined : { ip: endpoint, port };
}

function isWay(server: Server, { ip, port }: BmcAddress): boolean {
  const way = wayOf(server);
  const { userFrom, passFrom } = server.spec?.bmc ?? {};
  const refers = userFrom?.secretKeyRef !== undefined && passFrom?.secretKeyRef !== undefined;
  return refers && way?.ip === ip && (way.port || IPMI_PORT) === (port || IPMI_PORT);
}

/** An address that leads somewhere from elsewhere. */
function isUsable({ ip, port }: BmcAddress): boolean {
  return port <= 65_535 && waysOf([{ number: 1, addresses: [ip], port, source: "other" }]).length > 0;
}

function check({ ip, port, user, pass }: Pick<BMCInfo, "ip" | "port" | "user" | "pass">): void {
  const isAddress = parseIpv4(ip) ?? parseIpv6(ip);
  if (ip !== "" && isAddress === undefined) throw refusal("agent.malformed", `bmc_info.ip: "${ip}" is no IP address`);
  if (port > 65_535) throw refusal("agent.malformed", `bmc_info.port: ${port} is more than 65535`);
  for (const [field, value] of Object.entries({ user, pass })) {
    if (value.length > LONGEST_NAME)
      throw refusal("agent.malformed", `bmc_info.${field}: has more than ${LONGEST_NAME} characters`);
  }
}
