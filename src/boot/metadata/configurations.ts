/**
 * A machine's configuration: the bootstrap data with the patches of its class and its own, in upstream's order (sidero.md §6). Made once for each state of what it
 * is made of: machines ask again and again, and making one costs milliseconds.
 */
import type { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Fault } from "#std/fault.ts";
import { printConfig } from "#talos/document/document.ts";
import { parseConfig } from "#talos/document/parse.ts";
import { type LinkFacts, linkFactsOf } from "#talos/link/append.ts";
import { addressesIn } from "#talos/node/addresses.ts";
import { withNode } from "#talos/node/labels.ts";
import { readOperations } from "#talos/patch/json-patch.ts";
import type { Patch } from "#talos/patch/patch.ts";
import { applyPatch, loadPatch } from "#talos/patch/patch.ts";
import { Recent } from "../recent.ts";
import type { BootstrapData } from "./chain.ts";
import { noConfig } from "./fault.ts";

export interface Configuration {
  readonly text: Buffer;
  /** That it gives to the machine. */
  readonly addresses: readonly string[];
  /** For what is put behind it. */
  readonly link: LinkFacts;
}

export interface Ingredients {
  readonly data: BootstrapData;
  readonly server: Server;
  readonly serverClass: ServerClass | undefined;
}

/** Some 30 KB each. */
const MOST = 2048;

export class Configurations {
  readonly #made = new Recent<Configuration>(MOST);

  /** Throws Fault `boot.config` when it cannot be made. */
  of(ingredients: Ingredients): Configuration {
    const key = keyOf(ingredients);
    const made = this.#made.get(key) ?? make(ingredients);
    this.#made.set(key, made);
    return made;
  }
}

/** Of a spec's state its generation tells. */
function keyOf({ data, server, serverClass }: Ingredients): string {
  const of = ({ metadata: { uid, generation } }: Server | ServerClass): string => `${uid}/${generation}`;
  return `${data.uid}/${data.resourceVersion} ${of(server)} ${serverClass === undefined ? "" : of(serverClass)}`;
}

function make({ data, server, serverClass }: Ingredients): Configuration {
  const name = server.metadata.name ?? "";
  let config = step("the bootstrap data", () => parseConfig(textOf(data.value)));
  const levels = [
    ...(serverClass === undefined ? [] : [{ whose: `ServerClass ${serverClass.metadata.name}`, spec: serverClass.spec }]),
    { whose: `Server ${name}`, spec: server.spec },
  ];
  for (const { whose, spec } of levels) {
    const { configPatches = [], strategicPatches = [] } = spec ?? {};
    const apply = (where: string, patch: () => Patch): void => {
      config = step(`${where} of ${whose}`, () => applyPatch(config, patch()));
    };
    if (configPatches.length > 0) apply("configPatches", () => ({ kind: "json", operations: readOperations(configPatches) }));
    for (const [i, patch] of strategicPatches.entries()) apply(`strategicPatches[${i}]`, () => loadPatch(patch));
  }
  const addresses = addressesIn(config);
  config = step("the configuration", () => withNode(config, { uuid: name, providerId: `sidero://${name}` }));
  const text = printConfig(config);
  return { text: Buffer.from(text.endsWith("\n") ? text : `${text}\n`), addresses, link: linkFactsOf(config) };
}

function textOf(value: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(value, "base64"));
  } catch (cause) {
    throw noConfig(500, "missing", "the bootstrap data is no text", cause);
  }
}

function step<T>(where: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const fault = Fault.from(error);
    if (fault.fault !== "peer") throw error;
    throw noConfig(500, "missing", `${where}: ${fault.message}`, error);
  }
}
