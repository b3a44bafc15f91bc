/** `sidero cluster`: making, seeing, changing and deleting Kubernetes clusters. */
import type { Command } from "commander";
import { Fault } from "#std/fault.ts";
import { type Given, type OpenTerminal, reachingTheApi, type Terminal, withTerminal } from "../terminal.ts";
import { access } from "./access.ts";
import { count, create, mismatch, objectsOf } from "./create.ts";
import type { CreateFlags, CreatePorts } from "./create.ts";
import { remove } from "./delete.ts";
import { describe } from "./describe.ts";
import { get } from "./get.ts";
import { printObjects } from "./manifest.ts";
import { scale } from "./scale.ts";
import { bootedTalos } from "./supply.ts";
import { variablesOf } from "./substitute.ts";
import { upgrade } from "./upgrade.ts";
import type { Upgrade } from "./upgrade.ts";

/** What the commands need of the machine they run on. */
export interface ClusterPorts extends CreatePorts {
  /** For its owner only. */
  writeFile(path: string, text: string): Promise<void>;
  /** The output itself, with its line ends. */
  print(text: string): void;
}

export function addClusterCommands(program: Command, open: OpenTerminal, ports: ClusterPorts): void {
  const cluster = program
    .command("cluster")
    .description("Kubernetes clusters of Talos machines: make, see, change, delete them.");
  addCreate(cluster, open, ports);
  const named = (name: string, description: string): Command =>
    inNamespace(reachingTheApi(cluster.command(name).description(description))).argument("<name>", "of the cluster");
  const run = (given: Given, work: (terminal: Terminal) => Promise<void>): Promise<void> => withTerminal(open, given, work);
  const called = (name: string, given: Given) => ({ name, namespace: String(given["namespace"]) });

  inNamespace(reachingTheApi(cluster.command("get").description("List clusters: how far they are, how many machines are ready.")))
    .argument("[name]", "one of them")
    .option("-A, --all-namespaces", "those of all namespaces")
    .action((name: string | undefined, given: Given) =>
      run(given, (terminal) => get(given["allNamespaces"] === true ? "" : String(given["namespace"]), name, terminal)),
    );
  named("describe", "Show a cluster as a tree: what each part waits for, since when, and what you can do.")
    .option("--all", "also machines that are as they should be, one by one")
    .action((name: string, given: Given) =>
      run(given, (terminal) => describe(called(name, given), given["all"] === true, terminal)),
    );
  for (const what of ["kubeconfig", "talosconfig"] as const)
    named(what, `Print the ${what} of a cluster.`)
      .option("-o, --output <FILE>", "write it to a file that only you can read")
      .action((name: string, given: Given) =>
        run(given, async (terminal) => {
          const text = await access(what, called(name, given), terminal);
          const { output } = given;
          if (typeof output !== "string") return ports.print(text);
          await ports.writeFile(output, text);
        }),
      );
  named("scale", "Change how many machines a cluster has. Machines that go are wiped.")
    .option("--control-planes <N>", "control plane machines")
    .option("--workers <N>", "workers")
    .option("--deployment <NAME>", "the MachineDeployment that is meant, where there are several")
    .action((name: string, given: Given) => run(given, (terminal) => scale(called(name, given), scaleOf(given), terminal)));
  named(
    "upgrade",
    "Bring another version of Talos or Kubernetes to a cluster, control plane first. Interrupted, it can be begun again.",
  )
    .option("--kubernetes-version <VERSION>", "such as v1.34.1; one minor version at a time")
    .option(
      "--talos-version <VERSION>",
      "such as v1.13.4, for the control plane, in place: its machines start anew one after the other",
    )
    .option("--in-place", "control plane machines are upgraded as they run, not replaced")
    .option("--replace", "control plane machines are replaced, and the old ones wiped")
    .action((name: string, given: Given) => run(given, (terminal) => upgrade(called(name, given), upgradeOf(given), terminal)));
  named("delete", "Delete a cluster. Its machines are wiped, and are there for others then.")
    .option("--yes", "without this it only says what would go")
    .option("--no-wait", "do not wait until it is gone")
    .action((name: string, given: Given) =>
      run(given, (terminal) =>
        remove(called(name, given), { yes: given["yes"] === true, wait: (given["wait"] as unknown) !== false }, terminal),
      ),
    );
}

function inNamespace(command: Command): Command {
  return command.option("-n, --namespace <NAMESPACE>", "of the cluster and its objects", "default");
}

function addCreate(cluster: Command, open: OpenTerminal, ports: ClusterPorts): void {
  inNamespace(
    reachingTheApi(cluster.command("create").description("Make a cluster of Servers, or print the objects that would make it.")),
  )
    .argument("<name>", "of the cluster")
    .option("--endpoint <HOST[:PORT]>", "where its API server will answer: a virtual IP, a load balancer or a DNS name")
    .option("--control-planes <N>", "control plane machines: 1, 3 or 5", "1")
    .option("--workers <N>", "workers", "0")
    .option("--class <SERVERCLASS>", "which Servers the machines are picked from", "any")
    .option("--worker-class <SERVERCLASS>", "which Servers workers are picked from; otherwise the same")
    .option("--talos-version <VERSION>", "what the machines boot, such as v1.13.4; otherwise what their Environment names", "")
    .option("--kubernetes-version <VERSION>", "such as v1.34.1; otherwise what that Talos is released with", "")
    .option("--install-disk <DEVICE>", "where Talos is installed; otherwise Servers or classes must say it", "")
    .option("--vip-link <INTERFACE>", "control plane machines hold the endpoint among them, on this interface", "")
    .option("--from <FILE>", "a template of clusterctl's, with variables")
    .option("--set <NAME=VALUE>", "with that: a variable; others come from the options and the environment", collect, [])
    .option("--list-variables", "with that: only say which variables it has")
    .option("--dry-run", "print the objects as YAML, and make none")
    .action(async (name: string, given: Given) => {
      const flags = given as unknown as CreateFlags;
      if (given["listVariables"] === true) return await listVariables(flags, ports);
      if (flags.dryRun === true) {
        // It works without an API as well.
        let booted: string | undefined;
        await withTerminal(open, given, async ({ client }) => {
          booted = await bootedTalos(client, flags.class);
        }).catch(() => {});
        return ports.print(printObjects(await objectsOf(name, flags, ports, booted)));
      }
      await withTerminal(open, given, async (terminal) => {
        const booted = await bootedTalos(terminal.client, flags.class);
        const objects = await objectsOf(name, flags, ports, booted);
        const warning = mismatch(flags.talosVersion, booted);
        if (warning !== undefined) terminal.print(terminal.style("yellow", warning));
        await create(objects, terminal);
      });
    });
}

/** Repeated flags are a list. */
function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

async function listVariables({ from }: CreateFlags, ports: ClusterPorts): Promise<void> {
  if (from === undefined) throw usage("--list-variables: of which template? --from FILE");
  for (const { name, fallback } of variablesOf(await ports.readFile(from)))
    ports.print(`${name}${fallback === undefined ? "" : `  (default ${JSON.stringify(fallback)})`}\n`);
}

function scaleOf(given: Given) {
  const { controlPlanes, workers, deployment } = given as Record<string, string | undefined>;
  return {
    ...(controlPlanes === undefined ? {} : { controlPlanes: count(controlPlanes, "--control-planes") }),
    ...(workers === undefined ? {} : { workers: count(workers, "--workers") }),
    ...(deployment === undefined ? {} : { deployment }),
  };
}

function upgradeOf(given: Given): Upgrade {
  const { kubernetesVersion: version, talosVersion } = given as Record<string, string | undefined>;
  if (given["inPlace"] === true && given["replace"] === true) throw usage("--in-place or --replace?");
  if (talosVersion !== undefined && given["replace"] === true)
    throw usage("--talos-version goes in place, so not with --replace");
  return {
    ...(version === undefined ? {} : { version }),
    ...(talosVersion === undefined ? {} : { talosVersion }),
    ...(given["inPlace"] === true ? { strategy: "InPlace" } : {}),
    ...(given["replace"] === true ? { strategy: "RollingUpdate" } : {}),
  };
}

function usage(message: string): Fault {
  return new Fault("cli.usage", message, { fault: "caller", retry: "never" });
}
