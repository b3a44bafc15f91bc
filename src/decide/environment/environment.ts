/** What has to be done so that the files of an Environment are there, and what its status says of them. */
import type { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import type { Fault } from "#std/fault.ts";
import { type AssetCondition, conditionOf, type WantedAsset } from "./asset.ts";
import { DEFAULT_ENVIRONMENT } from "./default.ts";
import { downloadProgress, sizeText } from "./words.ts";

/** A download as it stands; one that went well is no more, its file is there. */
export type DownloadState =
  | { readonly is: "waiting" }
  | {
      readonly is: "running";
      readonly bytes: number;
      /** Undefined when the server does not say. */
      readonly size: number | undefined;
    }
  | {
      readonly is: "failed";
      readonly because: Fault;
      /** In a row. */
      readonly failures: number;
      /** Milliseconds since 1970; undefined: not until the spec changes. */
      readonly next: number | undefined;
    };

/** One file of the spec, and what is known of it here. */
export interface ObservedFile {
  readonly asset: WantedAsset;
  /** The digest it must have: the spec's, or that of what was downloaded (or imported) first. */
  readonly pinned: string | undefined;
  /** Bytes of the file on the disk, found to be right; undefined: it is not there. */
  readonly size: number | undefined;
  /** The name index knows which blob belongs to the URL. */
  readonly isNamed: boolean;
  readonly download: DownloadState | undefined;
}

export interface ObservedEnvironment {
  readonly name: string;
  /** Undefined: there is none of this name. */
  readonly environment: Environment | undefined;
  /** One for each file, in the order of `distinctAssets`. */
  readonly files: readonly ObservedFile[];
}

export type EnvironmentEffect =
  | { readonly do: "create-default" }
  /** Begin (or begin again) in the background. */
  | { readonly do: "download"; readonly url: string; readonly sha512: string | undefined }
  /** Note that this blob is what the URL gave. */
  | { readonly do: "remember"; readonly url: string; readonly sha512: string }
  | {
      readonly do: "tell";
      readonly about: Environment;
      readonly type: "Normal" | "Warning";
      readonly reason: string;
      readonly message: string;
    };

export interface EnvironmentDecision {
  readonly effects: readonly EnvironmentEffect[];
  readonly status?: { readonly conditions: AssetCondition[] };
  readonly again?: number;
}

/** Milliseconds after which the disk is looked at although nothing was heard of it: some file systems do not tell. */
const LOOK_AGAIN = 600_000;
const SHA512 = /^[0-9a-f]{128}$/;

export function decideEnvironment({ name, environment, files }: ObservedEnvironment, now: number): EnvironmentDecision {
  if (environment === undefined) return { effects: name === DEFAULT_ENVIRONMENT ? [{ do: "create-default" }] : [] };
  const effects: EnvironmentEffect[] = [];
  const conditions: AssetCondition[] = [];
  let again = LOOK_AGAIN;
  for (const file of files) {
    const { asset, pinned, download } = file;
    const verdict = judge(file);
    const isDue = download === undefined || (download.is === "failed" && download.next !== undefined && download.next <= now);
    if (verdict.wantsDownload && isDue) effects.push({ do: "download", url: asset.url, sha512: pinned });
    if (download?.is === "failed" && download.next !== undefined) again = Math.min(again, Math.max(0, download.next - now));
    if (pinned !== undefined && asset.sha512 === undefined && !file.isNamed) {
      effects.push({ do: "remember", url: asset.url, sha512: pinned });
    }
    const old = conditionOf(environment, asset);
    conditions.push(conditionFor(file, verdict, old, now));
    const said = eventFor(verdict, old);
    if (said === undefined) continue;
    const message = `${asset.field}: ${verdict.trouble ?? verdict.message}`;
    effects.push({ do: "tell", about: environment, ...said, message });
  }
  return { effects, status: { conditions }, again };
}

interface Verdict {
  readonly isReady: boolean;
  readonly reason: string;
  readonly message: string;
  /** The message without what is another at each attempt; absent: the message. */
  readonly trouble?: string;
  readonly progress?: number;
  readonly wantsDownload: boolean;
}

function judge({ asset, pinned, size, download }: ObservedFile): Verdict {
  const no = { isReady: false, wantsDownload: false };
  if (asset.url === "") return { ...no, reason: "NoUrl", message: `${asset.field}.url is not set` };
  if (asset.sha512 !== undefined && !SHA512.test(asset.sha512)) {
    return {
      ...no,
      reason: "InvalidChecksum",
      message: `${asset.field}.sha512 is not a SHA-512: it must be 128 hexadecimal digits`,
    };
  }
  if (size !== undefined) {
    const checked = asset.sha512 === undefined ? "no sha512 is given: it stays what came first" : "its sha512 is right";
    return { ...no, isReady: true, reason: "Downloaded", message: `${sizeText(size)}; ${checked}` };
  }
  const wants = { isReady: false, wantsDownload: true };
  switch (download?.is) {
    case undefined:
    case "waiting":
      return { ...wants, reason: "Waiting", message: "waiting for its turn to be downloaded" };
    case "running":
      return { ...wants, reason: "Downloading", ...downloadProgress(download.bytes, download.size) };
    case "failed":
      return { ...wants, reason: reasonOf(download.because), ...failureText(asset, pinned, download) };
  }
}

function reasonOf({ code }: Fault): string {
  switch (code) {
    case "io.checksum":
      return "ChecksumMismatch";
    case "io.no-space":
      return "NoSpace";
    case "io.url":
      return "InvalidUrl";
    default:
      return "DownloadFailed";
  }
}

function failureText(
  { field, sha512 }: WantedAsset,
  pinned: string | undefined,
  { because, failures, next }: DownloadState & { is: "failed" },
): { trouble: string; message: string } {
  const isOther = because.code === "io.checksum" && sha512 === undefined && pinned !== undefined;
  const trouble = isOther
    ? `the file is not the one that was downloaded first: ${because.message}; set ${field}.sha512 to take the new one`
    : because.message;
  const times = failures === 1 ? "" : ` (${failures} times in a row)`;
  const onwards = next === undefined ? "not trying again until the spec changes" : `trying again at ${timestamp(next)}`;
  return { trouble, message: `${trouble}${times}; ${onwards}` };
}

function conditionFor(
  { asset, pinned }: ObservedFile,
  { isReady, reason, message, progress }: Verdict,
  old: AssetCondition | undefined,
  now: number,
): AssetCondition {
  const status = isReady ? "True" : "False";
  const since = old?.status === status ? old.lastTransitionTime : undefined;
  return {
    url: asset.url,
    sha512: pinned ?? "",
    type: "Ready",
    status,
    reason,
    message,
    ...(progress === undefined ? {} : { progress }),
    lastTransitionTime: since ?? timestamp(now),
  };
}

/** Readiness, and trouble: an attempt that fails as the last one did is the same Event once more. */
function eventFor(
  { isReady, reason, wantsDownload }: Verdict,
  old: AssetCondition | undefined,
): { type: "Normal" | "Warning"; reason: string } | undefined {
  if (old?.reason === reason) return undefined;
  if (isReady) return { type: "Normal", reason };
  if (wantsDownload && (reason === "Waiting" || reason === "Downloading")) return undefined;
  return { type: "Warning", reason };
}

function timestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
