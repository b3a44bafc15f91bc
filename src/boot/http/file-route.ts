/** `/env/<environment>/[<architecture>/]<file>` and `/tftp/<file>`: what scripts and firmware download. All names are looked up in maps. */
import type { BootArchitecture } from "#decide/boot/asker.ts";
import { ASSET_FILES, type AssetFile, BOOT_ARCHITECTURES } from "#decide/environment/asset.ts";
import type { Clock } from "#io/clock.ts";
import type { Digest } from "#io/digest.ts";
import type { Assets } from "../assets.ts";
import type { Programs } from "../programs.ts";
import type { File } from "./download.ts";

/** Kubernetes' names of objects (RFC 1123 §2.1). */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
/** UEFI's HTTP boot wants to be told so. */
const EFI_TYPE = "application/efi";
const OTHER_TYPE = "application/octet-stream";

export interface FileOptions {
  readonly assets: Assets;
  readonly programs: Programs;
  readonly digest: Digest;
  readonly clock: Clock;
}

/** The file of a path, its segments decoded; undefined when there is none. */
export type FindFile = (segments: readonly string[]) => Promise<File | undefined>;

export function createFindFile({ assets, programs, digest, clock }: FileOptions): FindFile {
  /** What a path's file was when last asked for, and since when: there is no other time to tell. */
  const seen = new Map<string, { readonly etag: string; readonly modified: number }>();
  const validators = (path: string, etag: string): { readonly etag: string; readonly modified: number } => {
    const last = seen.get(path);
    if (last?.etag === etag) return last;
    const now = { etag, modified: Math.floor(clock.now() / 1000) * 1000 };
    seen.set(path, now);
    return now;
  };
  const digests = new WeakMap<Uint8Array, string>();
  const digestOf = (bytes: Uint8Array): string => {
    const known = digests.get(bytes) ?? digest(bytes);
    digests.set(bytes, known);
    return known;
  };

  const asset = async (path: string, segments: readonly string[]): Promise<File | undefined> => {
    const [environment = "", ...rest] = segments;
    const [architecture, file] = rest.length === 2 ? rest : ["amd64", rest[0]];
    if (rest.length > 2 || !NAME.test(environment) || !isArchitecture(architecture) || !isFile(file)) return undefined;
    const blob = await assets.find(environment, architecture, file);
    if (blob === undefined) return undefined;
    const { size, sha512 } = blob;
    return { size, type: OTHER_TYPE, read: (start, end) => blob.read(start, end), ...validators(path, etagOf(sha512)) };
  };
  const program = (path: string, name: string): File | undefined => {
    const found = programs.get(name);
    if (found === undefined) return undefined;
    const bytes = Buffer.from(found.bytes.buffer, found.bytes.byteOffset, found.bytes.byteLength);
    const type = name.endsWith(".efi") ? EFI_TYPE : OTHER_TYPE;
    const read = (start: number, end: number): Buffer[] => [bytes.subarray(start, end)];
    return { size: bytes.length, type, read, ...validators(path, etagOf(digestOf(found.bytes))) };
  };

  return async ([root, ...segments]) => {
    const path = [root, ...segments].join("/");
    if (root === "env") return asset(path, segments);
    return root === "tftp" ? program(path, segments.join("/")) : undefined;
  };
}

/** Half of it is as good as all of it, to tell two files apart. */
function etagOf(digest: string): string {
  return `"${digest.slice(0, 32)}"`;
}

function isArchitecture(text: string | undefined): text is BootArchitecture {
  return BOOT_ARCHITECTURES.some((each) => each === text);
}

function isFile(text: string | undefined): text is AssetFile {
  return ASSET_FILES.some((each) => each === text);
}
