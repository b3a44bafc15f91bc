import type { MessageInitShape } from "@bufbuild/protobuf";
import type { VersionResponseSchema } from "#proto/talos/machine_pb.js";
import type { Host } from "./host.ts";

/** What a machine answers to Version: the Talos that it stands in for. */
export function versionOfMachine({ version }: Host): MessageInitShape<typeof VersionResponseSchema> {
  return {
    messages: [
      {
        version: { tag: version, sha: "stand-in", built: "", goVersion: "", os: "linux", arch: "amd64" },
        platform: { name: "metal", mode: "metal" },
        features: { rbac: true },
      },
    ],
  };
}
