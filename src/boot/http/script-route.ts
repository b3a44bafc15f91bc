/** `/ipxe`: what a machine shall do, decided and written as a script. */
import { agentArguments, asksForConfig, environmentArguments, type SideroLinkEnd, withToken } from "#decide/boot/arguments.ts";
import type { Asker, Inventory } from "#decide/boot/asker.ts";
import {
  type AgentBoot,
  type BootDecision,
  decideBoot,
  type DiskMethod,
  type EnvironmentBoot,
  type Wait,
  withoutAsset,
  withoutToken,
} from "#decide/boot/decision.ts";
import { ASSET_FILES } from "#decide/environment/asset.ts";
import { encodeToken, type Seal } from "#decide/identity/token.ts";
import { linkUrl } from "#decide/link/url.ts";
import type { Witness } from "#decide/sighting.ts";
import type { Clock } from "#io/clock.ts";
import type { Digest } from "#io/digest.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import type { Incoming, Outgoing } from "#io/serve.ts";
import { Fault } from "#std/fault.ts";
import { type Argument, COMMAND_LINE_LIMIT, formatArguments } from "#wire/ipxe/argument.ts";
import type { Assets } from "../assets.ts";
import type { Tokens } from "../metadata/tokens.ts";
import { Recent } from "../recent.ts";
import { script, text } from "./answer.ts";
import { askerOf, targetOf } from "./asker.ts";
import { endpointOf, type EndpointSettings } from "./endpoint.ts";
import { diskScript, osScript, refusalScript, waitScript } from "./scripts.ts";

export interface ScriptOptions {
  readonly inventory: Inventory;
  readonly assets: Assets;
  readonly seal: Seal;
  readonly digest: Digest;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly witness: Witness;
  readonly settings: EndpointSettings & {
    readonly diskMethod: DiskMethod;
    /** The setting extra-agent-kernel-args. */
    readonly agentArguments: readonly Argument[];
    /** Milliseconds that a script's token counts. */
    readonly tokenLifetime: number;
    /** Sidero's end of SideroLink; undefined while there is none. */
    readonly sideroLink?: () => SideroLinkEnd | undefined;
  };
}

/** Machines of which the last answer is remembered. */
const MACHINES = 16_384;
/** Settings that iPXE fills in can be longer than they are written. */
const ROOM = 128;

/** Without `tokens` there are no configurations. */
export function createScriptRoute(
  options: ScriptOptions,
  tokens?: Tokens,
): (incoming: Incoming, query: URLSearchParams) => Promise<Outgoing> {
  const { inventory, clock, log, witness, settings } = options;
  const defaults = { diskMethod: settings.diskMethod, digest: options.digest };

  const missing = async (decision: AgentBoot | EnvironmentBoot): Promise<string | undefined> => {
    const name = folderOf(decision);
    const found = await Promise.all(ASSET_FILES.map((file) => options.assets.find(name, decision.architecture, file)));
    return ASSET_FILES.find((_, i) => found[i] === undefined);
  };
  const decide = async (asker: Asker): Promise<BootDecision> => {
    const decision = decideBoot(asker, inventory, defaults);
    if (decision.do !== "agent" && decision.do !== "environment") return decision;
    const file = await missing(decision);
    return file === undefined ? decision : withoutAsset(decision, file);
  };

  /** The token that opens its configuration, if it will ask for one; without being entitled to it the machine waits. */
  const granted = async (
    decision: BootDecision,
    asker: Asker,
    endpoint: string,
  ): Promise<{ decision: BootDecision; token?: string; link?: string }> => {
    if (decision.do !== "environment" || tokens === undefined) return { decision };
    if (!asksForConfig(argumentsOf(decision, endpoint, options))) return { decision };
    const grant = await tokens(decision.machine ?? "", asker);
    if (grant.is === "token") return { ...grant, decision };
    return { decision: grant.is === "none" ? decision : withoutToken(decision, grant.because) };
  };

  /** Those that wait ask every few seconds. */
  const lately = new Recent<string>(MACHINES);
  const isRepeated = (who: string, told: string): boolean => {
    const isSame = lately.get(who) === told;
    lately.set(who, told);
    return isSame;
  };

  return async (incoming, query) => {
    const asker = askerOf(query, incoming.peer.address);
    const again = targetOf(asker);
    const endpoint = endpointOf(incoming, settings);
    let body: string | undefined;
    let decision = await decide(asker);
    const context = { asker, again, endpoint, options };
    try {
      const grant = await granted(decision, asker, endpoint);
      decision = grant.decision;
      body = write(decision, { ...context, ...grant });
    } catch (cause) {
      const fault = Fault.from(cause);
      if (fault.fault !== "caller") throw fault;
      decision = unwritable(decision, fault);
      body = write(decision, context);
    }
    const { machine, because } = decision;
    const { mac, uuid, address } = asker;
    const of = {
      ...(mac === undefined ? {} : { mac }),
      ...(uuid === undefined ? {} : { uuid }),
      ...(machine === undefined ? {} : { server: machine }),
      address,
    };
    const told = `${OUTCOME[decision.do]}: ${because}`;
    const outlook = decision.do === "wait" ? { waitingFor: decision.waitingFor } : decision.do === "disk" ? { ends: true } : {};
    witness({ of, at: clock.now(), what: "script.served", text: told, bytes: body?.length ?? 0, ...outlook });
    const isQuiet = isRepeated(mac ?? uuid ?? address, told) && decision.do === "wait";
    log[isQuiet ? "debug" : LEVEL[decision.do]](`boot script: ${told}`, of);
    // Upstream's: for an iPXE of the site, which has something else to do then.
    return body === undefined ? text(404, "") : script(body);
  };
}

/** Where the files are, below `/env`. */
function folderOf({ environment }: AgentBoot | EnvironmentBoot): string {
  return typeof environment === "string" ? environment : environment.metadata.name!;
}

const OUTCOME = { agent: "agent", environment: "installation", disk: "disk", wait: "told to wait", refuse: "refused" } as const;
const LEVEL = { agent: "info", environment: "info", disk: "info", wait: "info", refuse: "warn" } as const;

interface Context {
  readonly asker: Asker;
  readonly again: string;
  readonly endpoint: string;
  readonly options: ScriptOptions;
  /** Opens its configuration. */
  readonly token?: string;
  /** Lets it join SideroLink. */
  readonly link?: string;
}

/** The decision as a script; undefined for an answer of 404. Throws what `encode` does, and Fault `boot.arguments`. */
function write(decision: BootDecision, { asker, again, endpoint, options, token: config, link }: Context): string | undefined {
  const { because } = decision;
  const { settings } = options;
  switch (decision.do) {
    case "agent": {
      const { architecture } = decision;
      const token = tokenFor(asker, options);
      const all = agentArguments({ architecture, mac: asker.mac, endpoint, token, extra: settings.agentArguments });
      return osScript({ path: `/env/${folderOf(decision)}`, arguments: fitting(all), because, again });
    }
    case "environment": {
      const { architecture } = decision;
      const plain = argumentsOf(decision, endpoint, options, link);
      const all = config === undefined ? plain : withToken(plain, config);
      // Upstream's path has no architecture.
      const path = `/env/${folderOf(decision)}${architecture === "amd64" ? "" : `/${architecture}`}`;
      return osScript({ path, arguments: fitting(all), because, again });
    }
    case "disk":
      return decision.method === "http-404" ? undefined : diskScript(decision.method, because);
    case "wait":
      return waitScript(decision.waitingFor, decision.retry, again);
    case "refuse":
      return refusalScript(because);
  }
}

function argumentsOf(
  { environment, architecture }: EnvironmentBoot,
  endpoint: string,
  { settings: { sideroLink } }: ScriptOptions,
  token?: string,
): Argument[] {
  const end = sideroLink?.();
  const link = end && { ...end, api: linkUrl({ endpoint, token, overGrpc: end.overGrpc ?? false }) };
  return environmentArguments(environment, architecture, endpoint, link);
}

function tokenFor({ uuid, mac, serial, address }: Asker, { seal, entropy, clock, settings }: ScriptOptions): string {
  const expires = clock.now() + settings.tokenLifetime;
  const asked = {
    ...(uuid === undefined ? {} : { uuid }),
    ...(mac === undefined ? {} : { mac }),
    ...(serial === undefined ? {} : { serial }),
  };
  return encodeToken({ purpose: "agent", boot: entropy.uuid(), address, expires, ...asked }, seal);
}

/** The kernel would cut a longer line without a word. */
function fitting(all: readonly Argument[]): readonly Argument[] {
  const { length } = formatArguments(all);
  if (length + ROOM < COMMAND_LINE_LIMIT) return all;
  throw new Fault(
    "boot.arguments",
    `the kernel arguments are ${length} characters long, ${COMMAND_LINE_LIMIT - ROOM} would fit`,
    {
      fault: "caller",
      retry: "never",
    },
  );
}

/** What a person has to change before there can be a script. */
function unwritable(decision: BootDecision, { message }: Fault): Wait {
  const whose =
    decision.do === "environment" ? `Environment "${decision.environment.metadata.name}"` : "the setting extra-agent-kernel-args";
  const { machine } = decision;
  return {
    do: "wait",
    ...(machine === undefined ? {} : { machine }),
    because: `${decision.because}, but ${message}`,
    waitingFor: `somebody to correct ${whose}: ${message}`,
    retry: 5_000,
  };
}
