/** `sidero gen`: secrets and machine configurations of a cluster as files, with the flags of `talosctl gen`. */
import type { Command } from "commander";
import { Option } from "commander";
import { Fault } from "#std/fault.ts";
import { kubernetesOf, parseContract } from "#talos/contract.ts";
import type { Contract } from "#talos/contract.ts";
import { printConfig } from "#talos/document/document.ts";
import { generateConfig } from "#talos/generate/generate.ts";
import { defaultInstaller, hostOf } from "#talos/generate/options.ts";
import type { GenerateOptions, MachineType } from "#talos/generate/options.ts";
import { applyPatch, loadPatch } from "#talos/patch/patch.ts";
import type { Minting } from "#talos/pki.ts";
import { checkSecrets, KUBEADM_FILES, makeSecrets, secretsOfKubeadm } from "#talos/secrets.ts";
import type { KubeadmFiles, Secrets } from "#talos/secrets.ts";
import { parseSecrets, printSecrets } from "#talos/secrets-text.ts";
import { validateConfig } from "#talos/validate/validate.ts";
import { issueTalosClient, printTalosconfig } from "#talos/talosconfig.ts";

/** What the commands need of the machine they run on. */
export interface GenPorts {
  /** Rejects with Fault `cli.usage` when there is no such file, or it cannot be read. */
  readFile(path: string): Promise<string>;
  exists(path: string): boolean;
  /** Makes the directories above it, too. */
  writeFile(path: string, text: string, mode: number): Promise<void>;
  readonly minting: () => Minting;
  /** A line for the person. */
  tell(line: string): void;
  /** The output itself, where it goes to no file. */
  print(text: string): void;
}

/** Only its owner may read what is the key to everything; configurations are as talosctl writes them. */
const MODE = { secret: 0o600, config: 0o644 } as const;

export function addGenCommands(program: Command, open: () => Promise<GenPorts>): void {
  const gen = program
    .command("gen")
    .description("Secrets and machine configurations of a Talos cluster, as files: talosctl gen without talosctl.");
  gen
    .command("secrets")
    .description("Write a secrets bundle, which configurations are generated from (gen config --with-secrets).")
    .option("-o, --output-file <FILE>", "where to; - is standard output", "secrets.yaml")
    .addOption(talosVersion())
    .option("-p, --from-kubernetes-pki <DIR>", "take the authorities from a PKI that kubeadm made")
    .option("-t, --kubernetes-bootstrap-token <TOKEN>", "with that: the cluster's bootstrap token")
    .option("-f, --force", "overwrite the file")
    .action(async (flags: SecretsFlags) => genSecrets(flags, await open()));
  gen
    .command("config")
    .description("Write controlplane.yaml, worker.yaml and talosconfig for a new cluster.")
    .argument("<name>", "of the cluster")
    .argument("<endpoint>", "of its Kubernetes API, like https://10.0.0.1:6443")
    .addOption(talosVersion())
    .option("--kubernetes-version <VERSION>", "what runs on the machines; otherwise what that Talos is released with")
    .option("--with-secrets <FILE>", "a bundle that sidero gen secrets or talosctl gen secrets wrote; otherwise new secrets")
    .option("--config-patch <PATCH>", "a patch for all machines: JSON, YAML, or @FILE", collect, [])
    .option("--config-patch-control-plane <PATCH>", "a patch for control plane machines", collect, [])
    .option("--config-patch-worker <PATCH>", "a patch for workers", collect, [])
    .option("--install-disk <DEVICE>", "where Talos is installed", "/dev/sda")
    .option("--install-image <IMAGE>", "of the installer; otherwise that of the version of Talos")
    .option("--additional-sans <NAMES>", "names and addresses for the certificates, with commas between them", "")
    .option("--dns-domain <DOMAIN>", "of the cluster", "cluster.local")
    .option("--registry-mirror <HOST=URL>", "a mirror of a registry", collect, [])
    .option("--with-kubespan", "machines reach each other by WireGuard")
    .addOption(bool("--with-cluster-discovery <BOOL>", "machines find each other by the discovery service"))
    .addOption(bool("--persist <BOOL>", "the configuration is kept on the machine's disk"))
    .addOption(bool("--with-docs <BOOL>", "taken for talosctl's sake: there are no comments in what is written").hideHelp())
    .addOption(bool("--with-examples <BOOL>", "as --with-docs").hideHelp())
    .addOption(new Option("-o, --output <DIR>", "where to, or with one type the file; - is standard output").default("."))
    .addOption(new Option("--output-dir <DIR>", "an older name of --output").hideHelp())
    .option("-t, --output-types <TYPES>", "what is written", "controlplane,worker,talosconfig")
    .option("-f, --force", "overwrite files")
    .action(async (name: string, endpoint: string, flags: ConfigFlags) => genConfig(name, endpoint, flags, await open()));
}

/** Repeated flags are a list. Not commander's own way, which would take the arguments after the flag for more of it. */
function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

/** What is on unless it is said to be false, as talosctl has it. */
function bool(flags: string, description: string): Option {
  return new Option(flags, description).choices(["true", "false"]).default("true");
}

function talosVersion(): Option {
  return new Option("--talos-version <VERSION>", "what reads the configuration, like v1.13 or v1.13.4; 1.3 to 1.15").default("");
}

interface SecretsFlags {
  readonly outputFile: string;
  readonly talosVersion: string;
  readonly fromKubernetesPki?: string;
  readonly kubernetesBootstrapToken?: string;
  readonly force?: boolean;
}

async function genSecrets(flags: SecretsFlags, ports: GenPorts): Promise<void> {
  const { outputFile, fromKubernetesPki, kubernetesBootstrapToken, force = false } = flags;
  refuseExisting([outputFile], force, ports);
  const contract = parseContract(flags.talosVersion);
  const secrets =
    fromKubernetesPki === undefined
      ? await makeSecrets(contract, ports.minting())
      : await secretsOfKubeadm(contract, await kubeadmFiles(fromKubernetesPki, ports), ports.minting(), kubernetesBootstrapToken);
  await put(outputFile, printSecrets(secrets), MODE.secret, ports);
}

async function kubeadmFiles(directory: string, { readFile }: GenPorts): Promise<KubeadmFiles> {
  const files = await Promise.all(KUBEADM_FILES.map(async (name) => [name, await readFile(`${directory}/${name}`)] as const));
  return Object.fromEntries(files) as unknown as KubeadmFiles;
}

interface ConfigFlags {
  readonly talosVersion: string;
  readonly kubernetesVersion?: string;
  readonly withSecrets?: string;
  readonly configPatch: readonly string[];
  readonly configPatchControlPlane: readonly string[];
  readonly configPatchWorker: readonly string[];
  readonly installDisk: string;
  readonly installImage?: string;
  readonly additionalSans: string;
  readonly dnsDomain: string;
  readonly registryMirror: readonly string[];
  readonly withKubespan?: boolean;
  readonly withClusterDiscovery: "true" | "false";
  readonly persist: "true" | "false";
  readonly output: string;
  readonly outputDir?: string;
  readonly outputTypes: string;
  readonly force?: boolean;
}

const TYPES: readonly string[] = ["controlplane", "worker", "talosconfig"];

async function genConfig(clusterName: string, endpoint: string, flags: ConfigFlags, ports: GenPorts): Promise<void> {
  const types = flags.outputTypes.split(",").map((type) => type.trim());
  const unknown = types.find((type) => !TYPES.includes(type));
  if (unknown !== undefined) throw usage(`--output-types: ${unknown} is none of ${TYPES.join(", ")}`);
  const files = filesOf(types, flags.outputDir ?? flags.output);
  refuseExisting(Object.values(files), flags.force ?? false, ports);
  const contract = parseContract(flags.talosVersion);
  const minting = ports.minting();
  const options = optionsOf(clusterName, endpoint, flags, contract, await secretsFor(flags, contract, minting, ports));
  hostOf(endpoint);
  const texts = new Map<string, string>();
  for (const type of types) {
    const isMachine = type !== "talosconfig";
    texts.set(
      type,
      isMachine ? await configuration(type as MachineType, options, flags, ports) : await talosconfig(options, minting),
    );
  }
  // Nothing is written before everything is made.
  for (const [type, text] of texts) await put(files[type]!, text, type === "talosconfig" ? MODE.secret : MODE.config, ports);
}

function filesOf(types: readonly string[], output: string): Record<string, string> {
  const isOne = types.length === 1;
  if (output === "-" && !isOne) throw usage("--output: standard output takes one of --output-types");
  const fileOf = (type: string): string => (type === "talosconfig" ? type : `${type}.yaml`);
  // A single file may be named; a directory is named without an extension, as always.
  const isFile = output === "-" || (isOne && /\.ya?ml$|(^|\/)talosconfig$/.test(output));
  return Object.fromEntries(types.map((type) => [type, isFile ? output : `${output}/${fileOf(type)}`]));
}

async function secretsFor(flags: ConfigFlags, contract: Contract, minting: Minting, ports: GenPorts): Promise<Secrets> {
  if (flags.withSecrets === undefined) {
    ports.tell("generating PKI and tokens");
    return makeSecrets(contract, minting);
  }
  const secrets = parseSecrets(await ports.readFile(flags.withSecrets));
  await checkSecrets(secrets, minting);
  return secrets;
}

function optionsOf(
  clusterName: string,
  endpoint: string,
  flags: ConfigFlags,
  contract: Contract,
  secrets: Secrets,
): GenerateOptions {
  return {
    clusterName,
    endpoint,
    contract,
    secrets,
    kubernetesVersion: flags.kubernetesVersion ?? kubernetesOf(contract),
    additionalSans: flags.additionalSans === "" ? [] : flags.additionalSans.split(",").map((name) => name.trim()),
    ...(flags.installDisk === "" ? {} : { installDisk: flags.installDisk }),
    installImage: flags.installImage ?? defaultInstaller(contract),
    dnsDomain: flags.dnsDomain,
    registryMirrors: mirrorsOf(flags.registryMirror),
    kubeSpan: flags.withKubespan ?? false,
    discovery: flags.withClusterDiscovery === "true",
    persist: flags.persist === "true",
  };
}

function mirrorsOf(flags: readonly string[]): Record<string, string[]> {
  const mirrors: Record<string, string[]> = {};
  for (const flag of flags.flatMap((list) => list.split(","))) {
    const [, host, url] = /^([^=]+)=(.+)$/.exec(flag) ?? [];
    if (host === undefined || url === undefined) throw usage("--registry-mirror is like ghcr.io=https://mirror.example");
    (mirrors[host] ??= []).push(url);
  }
  return mirrors;
}

async function configuration(type: MachineType, options: GenerateOptions, flags: ConfigFlags, ports: GenPorts): Promise<string> {
  const own = type === "worker" ? flags.configPatchWorker : flags.configPatchControlPlane;
  let config = generateConfig(type, options);
  for (const patch of [...flags.configPatch, ...own]) config = applyPatch(config, loadPatch(await patchText(patch, ports)));
  // Without a disk it is meant for a machine that Talos is on already.
  const mode = flags.installDisk === "" ? "cloud" : "metal";
  const { errors, warnings } = validateConfig(config, { mode, contract: options.contract });
  for (const warning of warnings) ports.tell(`${type}: ${warning}`);
  if (errors.length > 0) throw usage(`${type}: Talos would not take it: ${errors.join("; ")}`);
  return printConfig(config);
}

/** `@FILE`, the name of a file that is there, or the patch itself. */
function patchText(patch: string, { exists, readFile }: GenPorts): Promise<string> {
  if (patch.startsWith("@")) return readFile(patch.slice(1));
  const isName = !/[\n{[]/.test(patch) && patch.length < 4096 && exists(patch);
  return isName ? readFile(patch) : Promise.resolve(patch);
}

async function talosconfig({ clusterName, secrets }: GenerateOptions, minting: Minting): Promise<string> {
  const client = await issueTalosClient(secrets.certs.os, minting);
  return printTalosconfig({ name: clusterName, endpoints: [], ca: secrets.certs.os.certificate, client });
}

function refuseExisting(paths: readonly string[], force: boolean, { exists }: GenPorts): void {
  const present = force ? undefined : paths.find((path) => path !== "-" && exists(path));
  if (present !== undefined) throw usage(`${present} is there already; --force overwrites it`);
}

async function put(path: string, text: string, mode: number, ports: GenPorts): Promise<void> {
  if (path === "-") return ports.print(text);
  await ports.writeFile(path, text, mode);
  ports.tell(`Created ${path}`);
}

function usage(message: string): Fault {
  return new Fault("cli.usage", message, { fault: "caller", retry: "never" });
}
