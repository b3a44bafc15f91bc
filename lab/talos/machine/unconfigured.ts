/** A machine without a configuration on its disk: it gets one by `talos.config`, or from whoever applies one in maintenance, and installs itself. */
import { setTimeout } from "node:timers/promises";
import { argumentOf } from "#agent/steps/command-line.ts";
import {
  ConfigLoadErrorEventSchema,
  ConfigValidationErrorEventSchema,
  PhaseEvent_Action,
  PhaseEventSchema,
} from "#proto/siderolink/machine_events_pb.js";
import { parseConfig } from "#talos/document/parse.ts";
import { checkConfig, versionOf } from "../../../sim/talos/check.ts";
import { download, resolveUrl, retried } from "./acquire.ts";
import { end } from "./ending.ts";
import { factsOf } from "../../../sim/talos/facts.ts";
import { PLANNED_REBOOT, sequence } from "./host.ts";
import type { Host } from "./host.ts";
import { installSystem } from "./install.ts";

/** Milliseconds in which the last events leave. */
const PARTING = 500;

/** Resolves to the configuration of a machine that runs from memory; one that installs itself starts again. `networking`: when it has an address. */
export async function configure(host: Host, networking: Promise<unknown>): Promise<string> {
  await networking;
  const template = argumentOf(host.line, "talos.config");
  const text = template === undefined || template === "none" ? await maintained(host) : await acquire(host, template);
  const install = factsOf(parseConfig(text))?.install;
  if (install === undefined) {
    host.say("the configuration says nothing of installing: running from memory");
    return text;
  }
  // Where Talos installs what it finds no image of, it would fail later.
  const version = versionOf(install.image) ?? host.version;
  await sequence(host, "install", async () => {
    const phase = (action: PhaseEvent_Action): void => host.events.emit(PhaseEventSchema, { phase: "install", action });
    phase(PhaseEvent_Action.START);
    await installSystem({ ...host, install, version, config: text });
    phase(PhaseEvent_Action.STOP);
    return PLANNED_REBOOT;
  });
  host.say("install successful");
  // Whoever listens shall hear of it.
  await setTimeout(PARTING);
  return end(host, "reboot");
}

async function maintained(host: Host): Promise<string> {
  const { maintain } = await import("./maintenance.ts");
  return maintain(host);
}

/** What Talos would not take is asked for again: somebody may mend it meanwhile. */
async function acquire(host: Host, template: string): Promise<string> {
  const { uuid, serial, macs } = host.identity;
  const url = resolveUrl(template, { uuid, serial, mac: macs[0] ?? "", hostname: host.hostname });
  host.say(`fetching machine config from: ${JSON.stringify(withoutSecrets(url))}`);
  let isInvalid = false;
  const text = await retried(
    async () => {
      isInvalid = false;
      const acquired = await download(url);
      if (acquired.isEmpty) return "";
      isInvalid = true;
      checkConfig(acquired.text);
      return acquired.text;
    },
    {
      say: host.say,
      failed: (error) => host.events.emit(isInvalid ? ConfigValidationErrorEventSchema : ConfigLoadErrorEventSchema, { error }),
    },
  );
  // Nothing, or a part of it: somebody has to bring the rest.
  if (text === "" || checkConfig(text) === undefined) return maintained(host);
  host.say("machine config fetched");
  return text;
}

/** A token in the address is nobody's business who reads the serial line. */
function withoutSecrets(url: string): string {
  return url.replace(/([?&](?:token|secret|key)[^=]*=)[^&]*/gi, "$1***");
}
