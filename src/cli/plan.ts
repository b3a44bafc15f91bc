/** `sidero plan`: exactly what would be done to a machine, without doing it. */
import { Argument, type Command } from "commander";
import type { BootDecision } from "#decide/boot/decision.ts";
import { formatBmcAddress, bmcWay } from "#decide/bmc-address.ts";
import { type Plan, planOf, PLANNED, type Planned } from "#decide/lifecycle/plan.ts";
import { machineOnRecord } from "#decide/lifecycle/server.ts";
import { chooseDisks, recordedDevices } from "#decide/wipe/disks.ts";
import { wipeModeOf } from "#decide/wipe/mode.ts";
import type { Digest } from "#decide/identity/machine.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Fault } from "#std/fault.ts";
import { isInAgent, scriptFor, type Surroundings, surroundingsOf } from "./plan-inventory.ts";
import { sizeText } from "./boot-text.ts";
import { findServer } from "./server-search.ts";
import type { Settings } from "./settings/read.ts";
import { type Given, type OpenTerminal, reachingTheApi, type Terminal, withTerminal } from "./terminal.ts";

export interface PlanOptions {
  /** Of the Sidero that would do it, as far as this process can tell: from the environment. */
  readonly settings: Settings;
  readonly digest: Digest;
}

export function addPlanCommand(program: Command, open: OpenTerminal, options: () => Promise<PlanOptions>): void {
  reachingTheApi(program.command("plan"))
    .description(
      "Show what would be done to a machine, step by step, without doing it: BMC calls, boot scripts, disks that would be wiped.",
    )
    .argument("<machine>", "Server or its beginning, host name, MAC or IP address, or NAMESPACE/NAME of a MetalMachine")
    .addArgument(new Argument("<what>", "what to suppose").choices(PLANNED))
    .option("-o, --output <FORMAT>", "text or json", "text")
    .action((machine: string, what: Planned, given: Given) =>
      withTerminal(open, given, async (terminal) => {
        const { output } = given;
        if (output !== "text" && output !== "json") throw usage("-o: it must be text or json");
        await plan(machine, what, output, terminal, await options());
      }),
    );
}

/** Rejects with the faults of {@link findServer}, those of the API, and `cli.refused` when nothing of it would be done. */
export async function plan(
  name: string,
  what: Planned,
  output: "text" | "json",
  { client, print, style, now }: Terminal,
  { settings, digest }: PlanOptions,
): Promise<void> {
  const around = await surroundingsOf(client, await findServer(client, name));
  const machine = machineOnRecord(around.server, around.binding, {
    rebootTimeout: settings["server-reboot-timeout"],
    autoBmcSetup: settings["auto-bmc-setup"],
    firmware: settings["ipmi-pxe-method"],
    isInAgent: isInAgent(around),
    now: now(),
  });
  const made = planOf(machine, what, now());
  const defaults = { diskMethod: settings["boot-from-disk-method"], digest };
  const details = detailsOf(made, around, settings, (into) => scriptFor(into, around, defaults));
  if (output === "json") {
    print(JSON.stringify({ server: machine.name, supposed: what, ...made, steps: details }, undefined, 2));
    return;
  }
  if (made.refused !== undefined)
    throw new Fault("cli.refused", `nothing would be done: ${made.refused}`, { fault: "caller", retry: "never" });
  print(`${style("bold", machine.name)}: ${what}, if all goes well. Nothing of this is done now.`);
  for (const [i, { text, more }] of details.entries()) {
    print(`  ${String(i + 1).padStart(2)}. ${text}`);
    for (const line of more) print(style("dim", `      ${line}`));
  }
  const wait = made.waiting === undefined ? "" : `, and waits for ${made.waiting.waitingFor}`;
  print(`  Then it is ${made.phase ?? "as it was"}${wait}.`);
}

interface Detail {
  readonly text: string;
  /** Lines about it, for people. */
  readonly more: readonly string[];
  readonly effect?: unknown;
}

function detailsOf(
  { steps }: Plan,
  around: Surroundings,
  settings: Settings,
  script: (into: NonNullable<Plan["steps"][number]["boots"]>) => BootDecision,
): Detail[] {
  return steps.map(({ text, effect, boots, wipes }) => {
    const more = [
      ...(effect?.do === "operate" ? [`BMC: ${bmcText(around.server)}; operation ${effect.operation.id}`] : []),
      ...(boots === undefined ? [] : bootTexts(script(boots), around)),
      ...(wipes === true ? diskTexts(around.server, settings) : []),
    ];
    return { text, more, ...(effect && { effect }) };
  });
}

function bmcText({ spec }: Server): string {
  const way = bmcWay(spec);
  if (way.way === "bmc") return formatBmcAddress(way.address);
  return way.way === "unusable" ? way.problem : "none";
}

/** What DHCP and the boot script would answer. */
function bootTexts(decision: BootDecision, { record }: Surroundings): string[] {
  const seen = record?.status?.sightings?.filter(({ what }) => what === "dhcp.ack" || what === "tftp.sent") ?? [];
  const dhcp = [...new Map(seen.map(({ what, text }) => [what, `as in its last boot, ${what}: ${text}`])).values()];
  return [...dhcp, `boot script: ${scriptText(decision)}`];
}

function scriptText(decision: BootDecision): string {
  const because = `, because ${decision.because}`;
  switch (decision.do) {
    case "agent":
      return `kernel and initrd of /env/${decision.environment}${because}`;
    case "environment": {
      const { kernel } = decision.environment.spec ?? {};
      return `kernel ${kernel?.url ?? ""} with ${kernel?.args?.join(" ") ?? "no arguments"}${because}`;
    }
    case "disk":
      return `${decision.method}${because}`;
    case "wait":
      return `wait and ask again${because}`;
    case "refuse":
      return `none${because}`;
  }
}

function diskTexts({ spec }: Server, settings: Settings): string[] {
  const mode = wipeModeOf({ spec }, settings["insecure-wipe"]);
  const choices = chooseDisks(recordedDevices(spec?.hardware?.storage), spec?.wipe ?? {});
  if (choices.length === 0) return ["no disks are on record"];
  return choices.map(({ device: { name, model, serial, bytes }, skipped }) => {
    const identity = [model, serial, sizeText(bytes)].filter(Boolean).join(", ");
    return skipped === undefined ? `${name} (${identity}): wiped, ${mode}` : `${name} (${identity}): left alone, ${skipped}`;
  });
}

function usage(message: string): Fault {
  return new Fault("cli.usage", message, { fault: "caller", retry: "never" });
}
