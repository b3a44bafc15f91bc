/** `sidero validate`: whether Talos would take a configuration, as `talosctl validate` tells. */
import type { Command } from "commander";
import { Option } from "commander";
import { Fault } from "#std/fault.ts";
import { parseContract } from "#talos/contract.ts";
import { parseConfig } from "#talos/document/parse.ts";
import { validateConfig } from "#talos/validate/validate.ts";
import type { RuntimeMode } from "#talos/validate/subject.ts";
import type { GenPorts } from "./gen.ts";

interface ValidateFlags {
  readonly config: string;
  readonly mode: RuntimeMode;
  readonly talosVersion?: string;
  readonly strict?: boolean;
}

export function addValidateCommand(program: Command, open: () => Promise<GenPorts>): void {
  program
    .command("validate")
    .description("Say whether Talos would take a machine configuration, and what it would refuse.")
    .requiredOption("-c, --config <FILE>", "the configuration")
    .addOption(
      new Option("-m, --mode <MODE>", "where it is to run").choices(["metal", "cloud", "container"]).makeOptionMandatory(),
    )
    .option(
      "--talos-version <VERSION>",
      "what is to read it, like v1.13; without it nothing is said about versions of Kubernetes",
    )
    .option("--strict", "what is deprecated is refused, too")
    .action(async (flags: ValidateFlags) => validate(flags, await open()));
}

/** Rejects with Fault `cli.refused` that lists what is wrong, and with those of reading. */
export async function validate({ config, mode, talosVersion, strict = false }: ValidateFlags, ports: GenPorts): Promise<void> {
  const version = talosVersion === undefined ? {} : { contract: parseContract(talosVersion) };
  const { errors, warnings } = validateConfig(parseConfig(await ports.readFile(config)), { mode, strict, ...version });
  for (const warning of warnings) ports.tell(`warning: ${warning}`);
  if (errors.length === 0) return ports.print(`${config} is valid for ${mode} mode\n`);
  throw new Fault(
    "cli.refused",
    [`${config} is not valid for ${mode} mode:`, ...errors.map((error) => `  ${error}`)].join("\n"),
    {
      fault: "caller",
      retry: "never",
    },
  );
}
