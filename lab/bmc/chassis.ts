/** What ipmi_sim's hook asks and orders: names and values as in OpenIPMI's ipmi_sim_chassiscontrol and ipmi_sim_lancontrol. */
import type { BootSource } from "../description.ts";
import type { Machine } from "../machine.ts";

/** IPMI's boot devices (IPMI 2.0 table 28-14) as the hook says them. A machine of the lab has no CD drive. */
const SOURCES: Readonly<Record<string, BootSource | undefined>> = { none: undefined, pxe: "network", default: "disk" };

/**
 * Carries out one line, such as `chassis set power 1`, and resolves to the answer, a line `name:value` for each name that is asked.
 * Rejects what cannot be done. `lan` is what the BMC knows of its own network interface.
 */
export async function obey(machine: Machine, lan: Readonly<Record<string, string>>, line: string): Promise<string> {
  const [subject, verb, ...words] = line.trim().split(/\s+/);
  if (verb === "get") {
    const values: Readonly<Record<string, string | undefined>> =
      subject === "lan" ? lan : { power: machine.isOn ? "1" : "0", boot: nameOf(machine.next) };
    return words.map((name) => `${name}:${values[name] ?? refuse(`there is no ${name}`)}`).join("\n");
  }
  if (subject !== "chassis" || verb !== "set") return refuse(`${subject} ${verb} is not done here`);
  for (let at = 0; at + 1 < words.length; at += 2) await set(machine, words[at]!, words[at + 1]!);
  return "";
}

/** Ordering what is the case already does nothing: a power cycle orders `power 0` twice. */
async function set(machine: Machine, name: string, value: string): Promise<void> {
  if (name === "power") return value === "1" ? machine.on() : machine.off();
  if (name === "boot") return machine.bootNext(value in SOURCES ? SOURCES[value] : refuse(`there is no ${value} to boot from`));
  if (name === "shutdown") return machine.press();
  if (name === "reset") return machine.reset();
  return refuse(`there is no ${name}`);
}

function nameOf(source: BootSource | undefined): string {
  return Object.entries(SOURCES).find(([, each]) => each === source)![0];
}

function refuse(why: string): never {
  throw new Error(why);
}
