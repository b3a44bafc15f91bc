/** The text that a machine is configured with: generated or given, then patched (facts §3.5). */
import type { TalosConfigSpec } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import { parseContract } from "#talos/contract.ts";
import { at, printConfig, v1alpha1Of } from "#talos/document/document.ts";
import type { MachineConfig } from "#talos/document/document.ts";
import { parseConfig } from "#talos/document/parse.ts";
import { refusal } from "#talos/fault.ts";
import { generateConfig } from "#talos/generate/generate.ts";
import { readOperations } from "#talos/patch/json-patch.ts";
import { applyPatch, loadPatch } from "#talos/patch/patch.ts";
import type { Patch } from "#talos/patch/patch.ts";
import type { KeyPair } from "#talos/pki.ts";
import type { Secrets } from "#talos/secrets.ts";
import { decodePem } from "#talos/secrets-text.ts";
import { validateConfig } from "#talos/validate/validate.ts";
import type { ConfigInputs } from "#decide/talos-config/observed.ts";

/** The first minor version of Talos that takes the host name from a document of its own. */
const HOSTNAME_CONFIG = 12;

/**
 * The configuration that the spec asks for. `secrets` is read for all types but none. Throws the faults of `talos/`, which name places and
 * never values, also for what Talos would refuse.
 */
export function makeConfig(spec: TalosConfigSpec, inputs: ConfigInputs, secrets: Secrets | undefined): MachineConfig {
  const base = spec.generateType === "none" ? parseData(spec.data ?? "") : generate(spec, inputs, secrets);
  const config = patchesOf(spec, inputs, base).reduce(applyPatch, base);
  // Where it is installed is patched in when it is served, by the Server and its class.
  const version = spec.talosVersion ? { contract: parseContract(spec.talosVersion) } : {};
  const { errors } = validateConfig(config, { mode: "cloud", ...version });
  if (errors.length > 0) throw refusal("talos.config", `Talos would not take the configuration: ${errors.join("; ")}`);
  return config;
}

/** As it is served. Equinix Metal takes user data for a shell script unless its first line says what it is. */
export function printBootstrapData(config: MachineConfig, { infrastructureKind }: ConfigInputs): string {
  return (infrastructureKind.startsWith("PacketMachine") ? "#!talos\n" : "") + printConfig(config);
}

function parseData(data: string): MachineConfig {
  const config = parseConfig(data);
  if (config.documents.length === 0) throw refusal("talos.config", "spec.data has no configuration, and generateType is none");
  return config;
}

function generate({ generateType, talosVersion }: TalosConfigSpec, inputs: ConfigInputs, secrets: Secrets | undefined) {
  if (secrets === undefined) throw refusal("talos.secrets", "there is no secrets bundle");
  if (generateType === "none") throw refusal("talos.options", "nothing is generated for generateType none");
  const { clusterName, endpoint, kubernetesVersion, dnsDomain, podSubnets, serviceSubnets } = inputs;
  return generateConfig(generateType, {
    clusterName,
    endpoint,
    contract: parseContract(talosVersion),
    secrets,
    kubernetesVersion,
    dnsDomain,
    podSubnets,
    serviceSubnets,
  });
}

/** JSON patches first, then the strategic ones, the host name last: as upstream has them. */
function patchesOf(spec: TalosConfigSpec, { hostname }: ConfigInputs, base: MachineConfig): Patch[] {
  const { configPatches = [], strategicPatches = [] } = spec;
  return [
    ...(configPatches.length === 0 ? [] : [{ kind: "json", operations: readOperations(configPatches) } as const]),
    ...strategicPatches.map(loadPatch),
    ...(hostname === "" ? [] : [loadPatch(hostnamePatch(spec, hostname, base))]),
  ];
}

function hostnamePatch({ generateType, talosVersion = "" }: TalosConfigSpec, hostname: string, base: MachineConfig): string {
  // Of a given configuration without a version only its documents tell what Talos it is for.
  const isDocument =
    generateType === "none" && talosVersion === ""
      ? base.documents.some(({ identity }) => identity.kind === "HostnameConfig")
      : parseContract(talosVersion).minor >= HOSTNAME_CONFIG;
  return JSON.stringify(
    isDocument
      ? { apiVersion: "v1alpha1", kind: "HostnameConfig", auto: "off", hostname }
      : { machine: { network: { hostname } } },
  );
}

/** The Kubernetes authority in a configuration, with its key: only control plane machines have it. */
export function kubernetesAuthorityOf(config: MachineConfig): KeyPair | undefined {
  return authorityOf(config, "cluster") ?? separateAuthorityOf(config);
}

/** `cluster.ca`, which is Kubernetes' authority, or `machine.ca`, which is Talos' own; undefined without its key. */
export function authorityOf(config: MachineConfig, whose: "cluster" | "machine"): KeyPair | undefined {
  const document = v1alpha1Of(config);
  const [certificate, key] = ["crt", "key"].map((name) => {
    const text = document === undefined ? undefined : at(document.value, whose, "ca", name);
    return typeof text === "string" ? decodePem(text) : undefined;
  });
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}

/** From Talos 1.14 on it is a document, and not in base64. */
function separateAuthorityOf({ documents }: MachineConfig): KeyPair | undefined {
  const document = documents.find(({ identity }) => identity.kind === "KubeAPIServerCAConfig");
  const [certificate, key] = ["cert", "key"].map((name) => document && at(document.value, "issuingCA", name));
  return typeof certificate === "string" && typeof key === "string" && key !== "" ? { certificate, key } : undefined;
}
