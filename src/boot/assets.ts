/** The kernels and initial RAM disks that machines download: those of Environments, and the agent's. */
import type { BootArchitecture } from "#decide/boot/asker.ts";
import type { AssetFile } from "#decide/environment/asset.ts";
import type { Blob } from "#io/blobs.ts";

/** Files by the names of `/env/<environment>/[<architecture>/]<file>`. */
export interface Assets {
  /**
   * Undefined when there is no such file, or none yet, or it turned out to be damaged. The agent's files are those of the environments
   * `agent-amd64` and `agent-arm64`, whatever architecture is asked for.
   */
  find(environment: string, architecture: BootArchitecture, file: AssetFile): Promise<Blob | undefined>;
}
