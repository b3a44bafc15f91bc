/** Maintenance: a machine that nobody has told what to be waits for whoever tells it, by its API without certificates (facts §6.4). */
import { Code, ConnectError } from "@connectrpc/connect";
import { startApid } from "./apid.ts";
import { problemOf } from "./console.ts";
import { end } from "./ending.ts";
import { addressesOf } from "./host.ts";
import type { Host } from "./host.ts";
import { issueServer } from "./signing.ts";
import { checkConfig } from "../../../sim/talos/check.ts";
import { versionOfMachine } from "./version-call.ts";

/** Resolves to the configuration that was applied. */
export async function maintain(host: Host): Promise<string> {
  const applied = Promise.withResolvers<string>();
  const names = ["maintenance-service.talos.dev", "127.0.0.1", ...addressesOf(host)];
  host.services.set("apid", "Running", "in maintenance mode");
  const apid = await startApid({
    serving: await issueServer(undefined, "ed25519", names),
    authority: undefined,
    isHere: () => true,
    calls: {
      version: () => versionOfMachine(host),
      applyConfiguration: ({ data, dryRun }) => {
        const text = Buffer.from(data).toString();
        try {
          if (checkConfig(text) === undefined) throw new Error("the stand-in takes whole configurations only");
        } catch (error) {
          throw new ConnectError(problemOf(error), Code.InvalidArgument);
        }
        if (!dryRun) applied.resolve(text);
        return { messages: [{ modeDetails: dryRun ? "Dry run summary: the configuration is valid" : "Applied configuration" }] };
      },
      reset: ({ reboot }) => {
        setTimeout(() => void end(host, reboot ? "reboot" : "halt"), 500);
        return { messages: [{ actorId: crypto.randomUUID() }] };
      },
      upgrade: () => {
        throw new ConnectError("nothing is installed that could be upgraded", Code.FailedPrecondition);
      },
    },
  });
  host.say(`this machine is in maintenance mode and waits for a configuration at ${addressesOf(host).join(", ")}`);
  const text = await applied.promise;
  // Whoever applied it shall read the answer.
  await new Promise((resolve) => void setTimeout(resolve, 300));
  await apid.close();
  return text;
}
