/** The kernels and initial RAM disks that machines download: those of Environments, and the agent's. */
import type { BootArchitecture, Inventory } from "#decide/boot/asker.ts";
import { agentRemedy } from "#decide/boot/decision.ts";
import { ASSET_FILES, type AssetFile, assetsFor, BOOT_ARCHITECTURES, digestOf } from "#decide/environment/asset.ts";
import type { Blob, Blobs } from "#io/blobs.ts";
import type { Clock } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import { Fault } from "#std/fault.ts";

/** Files by the names of `/env/<environment>/[<architecture>/]<file>`. */
export interface Assets {
  /**
   * Undefined when there is no such file, or none yet, or it turned out to be damaged. The agent's files are those of the environments
   * `agent-amd64` and `agent-arm64`, whatever architecture is asked for.
   */
  find(environment: string, architecture: BootArchitecture, file: AssetFile): Promise<Blob | undefined>;
}

export interface AssetsOptions {
  readonly blobs: Blobs;
  readonly inventory: Pick<Inventory, "environment">;
  /** Directory of the agent's files: `vmlinuz-amd64`, `initramfs-amd64`, the same for arm64. Some or all may be missing. */
  readonly agentImage: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** What `make image` calls the files. */
const AGENT_FILES: Readonly<Record<AssetFile, string>> = { vmlinuz: "vmlinuz", "initramfs.xz": "initramfs" };
/** Milliseconds after which a file of the agent that was not there is looked for again, when a machine asks for it. */
const LOOK_AGAIN = 5000;

/** The agent environment of an architecture. */
function agentEnvironment(architecture: BootArchitecture): string {
  return `agent-${architecture}`;
}

/** Takes the agent's files into the store; one that cannot be read is told of and looked for again when a machine wants it. */
export async function createAssets(options: AssetsOptions): Promise<Assets> {
  const { blobs, inventory } = options;
  const agent = new AgentImage(options);
  await agent.adoptAll();
  return {
    async find(environment, architecture, file) {
      const agents = BOOT_ARCHITECTURES.find((each) => agentEnvironment(each) === environment);
      if (agents !== undefined) return await agent.find(agents, file);
      const object = inventory.environment(environment);
      const asset = object && assetsFor(object, architecture).find((each) => each.file === file);
      const sha512 = asset && digestOf(object, asset);
      return sha512 === undefined ? undefined : await blobs.find(sha512);
    },
  };
}

class AgentImage {
  readonly #options: AssetsOptions;
  readonly #digests = new Map<string, string>();
  readonly #lookedAt = new Map<string, number>();
  /** What was wrong with a file when it was last looked for. */
  readonly #troubles = new Map<string, string>();

  constructor(options: AssetsOptions) {
    this.#options = options;
  }

  async adoptAll(): Promise<void> {
    for (const architecture of BOOT_ARCHITECTURES) {
      for (const file of ASSET_FILES) await this.#adopt(architecture, file);
    }
  }

  async find(architecture: BootArchitecture, file: AssetFile): Promise<Blob | undefined> {
    const name = nameOf(architecture, file);
    const known = this.#digests.get(name);
    const blob = known === undefined ? undefined : await this.#options.blobs.find(known);
    return blob ?? (await this.#adoptSoon(architecture, file));
  }

  /** `make image` may have run meanwhile, or somebody may have emptied the store. */
  async #adoptSoon(architecture: BootArchitecture, file: AssetFile): Promise<Blob | undefined> {
    const last = this.#lookedAt.get(nameOf(architecture, file)) ?? -Infinity;
    return this.#options.clock.monotonic() - last < LOOK_AGAIN ? undefined : await this.#adopt(architecture, file);
  }

  async #adopt(architecture: BootArchitecture, file: AssetFile): Promise<Blob | undefined> {
    const { blobs, agentImage, clock, log } = this.#options;
    const name = nameOf(architecture, file);
    const path = `${agentImage}/${AGENT_FILES[file]}-${architecture}`;
    this.#lookedAt.set(name, clock.monotonic());
    try {
      const blob = await blobs.adopt(path);
      await blobs.name({ name, sha512: blob.sha512, keep: true });
      this.#digests.set(name, blob.sha512);
      this.#troubles.delete(name);
      return blob;
    } catch (error) {
      const because = Fault.from(error).message;
      // Machines ask every few seconds.
      if (this.#troubles.get(name) !== because) {
        log.warn(`no ${name}, so machines that need it wait: ${agentRemedy(architecture)}`, { because });
      }
      this.#troubles.set(name, because);
      return undefined;
    }
  }
}

function nameOf(architecture: BootArchitecture, file: AssetFile): string {
  return `${agentEnvironment(architecture)}/${file}`;
}
