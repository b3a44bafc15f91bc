/** Boot source override (DSP0268 ComputerSystem, Boot): what to send so that the next start goes where it should, and whether it took. */
import { type Document, text, texts } from "./document.ts";
import type { Quirks } from "./quirks.ts";
import { defined } from "./root.ts";
import type { BootDevice, BootOnce } from "./word.ts";

export interface BootSettings {
  readonly enabled?: string;
  readonly target?: string;
  readonly mode?: string;
  readonly httpBootUri?: string;
  /** Empty: it does not say which there are (iDRAC 10 does not). */
  readonly targets: readonly string[];
  readonly modes: readonly string[];
}

export function readBoot(boot: Document): BootSettings {
  const targets = texts(boot, "BootSourceOverrideTarget@Redfish.AllowableValues");
  return defined<BootSettings>({
    enabled: text(boot, "BootSourceOverrideEnabled"),
    target: text(boot, "BootSourceOverrideTarget"),
    mode: text(boot, "BootSourceOverrideMode"),
    httpBootUri: text(boot, "HttpBootUri"),
    // The name before 2016.
    targets: targets.length > 0 ? targets : texts(boot, "BootSourceOverrideSupported"),
    modes: texts(boot, "BootSourceOverrideMode@Redfish.AllowableValues"),
  });
}

const TARGETS: Readonly<Record<BootDevice, readonly string[]>> = {
  pxe: ["Pxe"],
  http: ["UefiHttp"],
  disk: ["Hdd"],
  cd: ["Cd"],
};

/** The override that is wanted; its names are those of the schema. */
export interface Override {
  readonly BootSourceOverrideEnabled: "Once" | "Disabled";
  readonly BootSourceOverrideTarget: string;
  readonly BootSourceOverrideMode?: "UEFI" | "Legacy";
  /** Null: by DHCP, where another address is left from before. */
  readonly HttpBootUri?: string | null;
}

/** Undefined: it cannot start from there. */
export function overrideOf(wanted: BootOnce, boot: BootSettings, quirks: Quirks): Override | undefined {
  if (wanted.device === "http" && wanted.firmware === "bios") return undefined;
  // What its own boot order does already must not be forced, or it starts over and over.
  if (wanted.device === "disk" && quirks.diskByBootOrder && wanted.firmware === "uefi") {
    return { BootSourceOverrideEnabled: "Disabled", BootSourceOverrideTarget: "None" };
  }
  const target = targetOf(wanted.device, boot, quirks);
  if (target === undefined) return undefined;
  return {
    BootSourceOverrideEnabled: "Once",
    BootSourceOverrideTarget: target,
    // A service that does not show a mode has none to set.
    ...(boot.mode === undefined ? {} : { BootSourceOverrideMode: wanted.firmware === "uefi" ? "UEFI" : "Legacy" }),
    ...(wanted.device === "http" && (wanted.url !== undefined || boot.httpBootUri !== undefined)
      ? { HttpBootUri: wanted.url ?? null }
      : {}),
  };
}

function targetOf(device: BootDevice, { targets }: BootSettings, quirks: Quirks): string | undefined {
  const names = device === "cd" ? [...quirks.cdTargets, ...TARGETS.cd] : TARGETS[device];
  return targets.length === 0 ? names.at(-1) : names.find((name) => targets.includes(name));
}

export function devicesOf(boot: BootSettings, quirks: Quirks): BootDevice[] {
  return (Object.keys(TARGETS) as BootDevice[]).filter((device) => targetOf(device, boot, quirks) !== undefined);
}

/**
 * What to send; undefined when nothing has to be. Some refuse a value that is set already, others want to be told everything each time.
 * `again`: it was sent, and did not take as a whole.
 */
export function patchOf(override: Override, boot: BootSettings, quirks: Quirks, again = false): Document | undefined {
  if (isInEffect(override, boot, quirks) && quirks.override !== "everything") return undefined;
  const { BootSourceOverrideEnabled: enabled, BootSourceOverrideTarget: target } = override;
  const { BootSourceOverrideMode: mode, HttpBootUri: uri } = override;
  const everything = again || quirks.override === "everything";
  return defined<Document>({
    BootSourceOverrideTarget: target,
    BootSourceOverrideEnabled: everything || boot.enabled !== enabled ? enabled : undefined,
    BootSourceOverrideMode: mode !== undefined && (everything ? quirks.mode !== "fixed" : boot.mode !== mode) ? mode : undefined,
    HttpBootUri: uri,
  });
}

/** Whether `boot`, as read, is what was wanted. */
export function isInEffect(override: Override, boot: BootSettings, quirks: Quirks): boolean {
  const { BootSourceOverrideEnabled: enabled, BootSourceOverrideTarget: target } = override;
  const { BootSourceOverrideMode: mode, HttpBootUri: uri } = override;
  if (enabled === "Disabled") return boot.enabled === "Disabled" || boot.target === undefined || boot.target === "None";
  return (
    boot.target === target &&
    (boot.enabled === enabled || quirks.showsOnceAs === boot.enabled) &&
    (mode === undefined || boot.mode === mode || boot.mode === undefined) &&
    (uri === undefined || (boot.httpBootUri ?? null) === uri)
  );
}
