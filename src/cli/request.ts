/** `sidero request`: asks for something to be done to a machine, by the annotation that anybody can also set with kubectl, and says what came of it. */
import { Argument, type Command } from "commander";
import { VERBS } from "#decide/lifecycle/request.ts";
import { REQUEST_ANNOTATION, Server } from "#kinds/metal/v1alpha2/server.ts";
import { Fault } from "#std/fault.ts";
import { findServer } from "./server-search.ts";
import { type Given, type OpenTerminal, reachingTheApi, type Terminal, withTerminal } from "./terminal.ts";

/** Seconds in which a controller that runs has long answered. */
const PATIENCE = 30;

export function addRequestCommand(program: Command, open: OpenTerminal): void {
  reachingTheApi(program.command("request"))
    .description("Ask for something to be done to a machine; ends when it is taken up or refused. `sidero why` says how it goes.")
    .argument("<machine>", "Server or its beginning, host name, MAC or IP address, or NAMESPACE/NAME of a MetalMachine")
    .addArgument(new Argument("<what>", "what to do").choices(VERBS))
    .action((machine: string, verb: string, given: Given) =>
      withTerminal(open, given, (terminal) => request(machine, verb, terminal)),
    );
}

/** Rejects with the faults of {@link findServer}, `cli.refused` with the reason, and `cli.unanswered` where no controller runs. */
export async function request(machine: string, verb: string, { client, print, now, signal }: Terminal): Promise<void> {
  const name = (await findServer(client, machine)).metadata.name!;
  const value = `${verb} ${new Date(now()).toISOString()}`;
  const servers = client.for(Server);
  const asked = await servers.patch(name, { metadata: { annotations: { [REQUEST_ANNOTATION]: value } } });
  const over = AbortSignal.any([AbortSignal.timeout(PATIENCE * 1000), ...(signal === undefined ? [] : [signal])]);
  const outcome = outcomeOf(asked, value) ?? (await answered(value, asked, client, over));
  if (outcome === undefined) {
    const message = `${verb} is asked for, and nobody has taken it up in ${PATIENCE} s: is Sidero running?`;
    throw new Fault("cli.unanswered", message, { fault: "world", retry: "later" });
  }
  if (outcome.startsWith("refused")) throw new Fault("cli.refused", outcome, { fault: "caller", retry: "never" });
  print(`${name}: ${verb}: ${outcome}`);
}

function outcomeOf({ status }: Server, value: string): string | undefined {
  return status?.request?.value === value ? status.request.outcome : undefined;
}

async function answered(
  value: string,
  asked: Server,
  client: Terminal["client"],
  signal: AbortSignal,
): Promise<string | undefined> {
  const { name = "", resourceVersion = "" } = asked.metadata;
  try {
    for await (const event of client.for(Server).watch({ fieldSelector: `metadata.name=${name}`, resourceVersion, signal })) {
      const outcome = event.type === "MODIFIED" ? outcomeOf(event.object, value) : undefined;
      if (outcome !== undefined) return outcome;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return undefined;
}
