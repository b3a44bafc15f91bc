/** `bin/sidero`: reads argv and the environment, runs one command, turns faults into exit codes. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, CommanderError, Option } from "commander";
import { parse } from "yaml";
import { addAssetsCommands } from "#cli/assets.ts";
import type { OpenStore } from "#cli/assets.ts";
import { defaultText, settingsOf, valueWord } from "#cli/settings/help.ts";
import { readSettings } from "#cli/settings/read.ts";
import { REFUSED_FLAGS } from "#cli/settings/refused.ts";
import type { Settings } from "#cli/settings/read.ts";
import type { Role } from "#cli/settings/setting.ts";
import { SETTINGS } from "#cli/settings/table.ts";
import { addPlanCommand } from "#cli/plan.ts";
import { addRequestCommand } from "#cli/request.ts";
import type { OpenTerminal } from "#cli/terminal.ts";
import { addBmcCommands } from "#cli/bmc.ts";
import { addCertificateCommand } from "#cli/certificate.ts";
import { addClusterCommands } from "#cli/cluster/commands.ts";
import { addGenCommands } from "#cli/gen.ts";
import { addLogsCommand } from "#cli/logs.ts";
import { addTimelineCommand } from "#cli/timeline.ts";
import { addValidateCommand } from "#cli/validate.ts";
import { addWhyCommand } from "#cli/why.ts";
import { verifySignature } from "#io/node/sign.ts";
import { Fault } from "#std/fault.ts";
import type { SimFlags } from "./sim.ts";
import { VERSION } from "./version.ts";

const DATA = SETTINGS.data.default;

/** Exit codes: 0 done, 1 it failed, 2 it was called wrongly. */
const EXIT = { failed: 1, usage: 2 } as const;
const WRONG_CALLS: ReadonlySet<string> = new Set(["cli.settings", "cli.usage"]);

function program(): Command {
  const root = new Command("sidero")
    .description("Takes bare machines from power-on to a Talos Linux Kubernetes cluster and back to clean hardware.")
    .version(VERSION, "--version", "print the version")
    .exitOverride()
    .showHelpAfterError("(sidero --help shows what there is)");

  const up = root.command("up").description("Run Sidero on this machine: API server, store and controllers in one process.");
  for (const [name, setting] of settingsOf("up")) {
    const env = setting.env === undefined ? "" : ` [${setting.env.join(", ")}]`;
    const initial = defaultText(setting) === "" ? "" : ` (default ${defaultText(setting)})`;
    const flag = name.length === 1 ? `-${name}, --${name}` : `--${name}`;
    const value = setting.type === "boolean" ? `[${valueWord(setting)}]` : `<${valueWord(setting)}>`;
    up.addOption(new Option(`${flag} ${value}`, `${setting.doc}${initial}${env}`));
  }
  for (const option of refusedOptions()) up.addOption(option);
  up.action(async (_options, command: Command) => {
    const settings = await settingsFrom("up", command);
    const { up: run } = await import("./up.ts");
    await run(settings);
  });

  const inMachine = root
    .command("agent")
    .description(
      "What a machine runs that boots the agent's image; its settings are kernel arguments. Refuses to run anywhere else.",
    );
  for (const option of refusedOptions()) inMachine.addOption(option);
  inMachine.action(async (_options, command: Command) => {
    await settingsFrom("agent", command);
    const { agent } = await import("./agent.ts");
    await agent();
  });

  root
    .command("sim")
    .description(
      "Simulated machines in real time, for a Sidero that runs (sidero up): they boot from its scripts, run the agent and have BMCs (IPMI, Redfish, HTTP) on addresses of 127.2.0.0/16, so that a configuration can be tried without hardware. Without DHCP and TFTP, which take rights: they begin in iPXE.",
    )
    .option("--machines <N>", "how many, of five models", "10")
    .option("--endpoint <HOST:PORT>", "Sidero's HTTP port", "127.0.0.1:8081")
    .option("--seed <N>", "the same seed makes the same machines: their UUIDs stay from one start to the next", "1")
    .option("--speed <N>", "how many times faster than real machines they start", "10")
    .option("--no-introduce", "do not write into Servers where their BMCs are (spec.bmc, with a Secret)")
    .option("--kubeconfig <FILE>", "how to reach the API for that; absent: as sidero timeline")
    .action(async (options: SimFlags) => {
      const { sim } = await import("./sim.ts");
      await sim(options, process.env["SIDERO_DATA"] ?? DATA);
    });

  root
    .command("backup")
    .description("Write a consistent copy of a data directory, also while Sidero runs on it.")
    .argument("<target>", "directory to make; must not exist")
    .option("--data <DIR>", "data directory to copy", process.env["SIDERO_DATA"] ?? DATA)
    .action(async (target: string, options: { data: string }) => {
      const { backup } = await import("./backup.ts");
      console.log(await backup(options.data, target));
    });

  root
    .command("restore")
    .description("Make a data directory from a backup.")
    .argument("<source>", "directory that `sidero backup` wrote")
    .option("--data <DIR>", "data directory to make; must not hold a store", process.env["SIDERO_DATA"] ?? DATA)
    .action(async (source: string, options: { data: string }) => {
      const { restore } = await import("./restore.ts");
      console.log(await restore(source, options.data));
    });
  addAssetsCommands(root, process.env["SIDERO_DATA"] ?? DATA, openAssetStore);
  addTimelineCommand(root, openTerminal);
  addWhyCommand(root, openTerminal);
  addLogsCommand(root, openTerminal, async function* (kubeconfig, target) {
    const terminal = await import("./terminal.ts");
    yield* terminal.openStream(process.env["SIDERO_DATA"] ?? DATA, kubeconfig, target);
  });
  addRequestCommand(root, openTerminal);
  addPlanCommand(root, openTerminal, async () => {
    const { digest } = await import("#io/node/digest.ts");
    return { settings: readSettings("up", { flags: {}, env: process.env }), digest };
  });
  addBmcCommands(root, openTerminal, {
    openBmc: async (...given) => (await import("./bmc.ts")).openBmc(...given),
    openRaw: async () => (await import("./bmc.ts")).openRawTerminal(),
  });
  const openGenPorts = async () => (await import("./gen.ts")).openGenPorts();
  addGenCommands(root, openGenPorts);
  addValidateCommand(root, openGenPorts);
  addClusterCommands(root, openTerminal, {
    env: process.env,
    readFile: (path) => readFile(path, "utf8").catch((cause: Error) => Promise.reject(unreadable(path, cause))),
    writeFile: async (path, text) => (await openGenPorts()).writeFile(path, text, 0o600),
    print: (text) => process.stdout.write(text),
  });
  addCertificateCommand(root, openTerminal, {
    readFile: (path) => readFile(path, "utf8").catch((cause: Error) => Promise.reject(unreadable(path, cause))),
    verify: (publicKey, text, signature) => verifySignature(publicKey, Buffer.from(text), Buffer.from(signature, "base64")),
  });
  return root;
}

/** Taken by the parser, and then refused with the reason. */
function refusedOptions(): Option[] {
  return REFUSED_FLAGS.map((name) => new Option(`--${name} [VALUE]`).hideHelp());
}

const openTerminal: OpenTerminal = async (kubeconfig) => {
  const terminal = await import("./terminal.ts");
  return terminal.openTerminal(process.env["SIDERO_DATA"] ?? DATA, kubeconfig);
};

const openAssetStore: OpenStore = async (data, { make }) => {
  if (!make && !existsSync(data)) {
    throw new Fault("cli.usage", `--data: there is no directory ${data}`, { fault: "caller", retry: "never" });
  }
  const [{ openBlobs }, { createLog }] = await Promise.all([import("#io/node/blobs.ts"), import("#io/node/log.ts")]);
  return openBlobs({ directory: join(data, "assets"), log: createLog({ format: "text", verbosity: 0 }) });
};

async function settingsFrom(role: Role, command: Command): Promise<Settings> {
  const flags: Record<string, string> = {};
  for (const option of command.options) {
    const value = command.getOptionValue(option.attributeName()) as string | true | undefined;
    if (value !== undefined) flags[option.name()] = String(value);
  }
  const path = flags["config"] ?? process.env["SIDERO_CONFIG"] ?? "";
  return readSettings(role, { flags, env: process.env, ...(path === "" ? {} : { file: await configuration(path) }) });
}

function unreadable(path: string, cause: Error): Fault {
  return new Fault("cli.usage", `${path}: ${cause.message}`, { fault: "caller", retry: "never", cause });
}

async function configuration(path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, "utf8"));
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Fault("cli.settings", `--config ${path}: ${text}`, { fault: "caller", retry: "never", cause });
  }
}

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  } else {
    const fault = Fault.from(error);
    console.error(`sidero: ${fault.code === "std.unexpected" ? String(fault.stack) : fault.message}`);
    process.exitCode = WRONG_CALLS.has(fault.code) ? EXIT.usage : EXIT.failed;
  }
}
