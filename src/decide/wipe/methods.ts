/**
 * How a disk is erased for good: by what it can do, the most thorough first (NIST SP 800-88 rev. 1 table A-8 ranks what a controller does with all
 * its cells above what can be written from outside). What fails or does not stand up to reading back is followed by the next.
 */
export type WipeMethod =
  | "nvme-sanitize-crypto"
  | "nvme-sanitize-block"
  | "nvme-sanitize-overwrite"
  | "nvme-format-crypto"
  | "nvme-format-erase"
  | "ata-sanitize-crypto"
  | "ata-sanitize-block"
  | "ata-sanitize-overwrite"
  | "ata-security-erase-enhanced"
  | "ata-security-erase"
  | "scsi-sanitize-crypto"
  | "scsi-sanitize-block"
  | "scsi-sanitize-overwrite"
  | "secure-discard"
  | "discard-zeroes"
  | "zero-out"
  | "zeroes";

interface Sanitizes {
  readonly crypto: boolean;
  readonly block: boolean;
  readonly overwrite: boolean;
}

/** What was found out by asking the disk; what it does not speak is absent. */
export interface DiskAbilities {
  readonly rotational: boolean;
  readonly nvme?: {
    readonly sanitizes: Sanitizes;
    readonly formats: boolean;
    readonly formatsByCrypto: boolean;
    /** A format, or a secure erase, concerns all namespaces of the controller. */
    readonly formatsAll: boolean;
    /** It is the only namespace: what concerns all concerns nobody else. */
    readonly alone: boolean;
  };
  readonly ata?: {
    readonly sanitizes: Sanitizes;
    readonly security: {
      readonly supported: boolean;
      readonly enabled: boolean;
      readonly locked: boolean;
      readonly frozen: boolean;
      readonly expired: boolean;
      readonly enhanced: boolean;
    };
    readonly trimsToZero: boolean;
  };
  readonly scsi?: { readonly sanitizes: Sanitizes };
}

export interface MethodChoice {
  /** In the order to try them; never empty: zeros can always be written. */
  readonly methods: readonly WipeMethod[];
  /** Why a method that the disk knows is not tried. */
  readonly notes: readonly string[];
}

/** What an erased disk reads as. `zeros`: nothing else will do. `other`: whatever it is, it is not what was there. */
export function leaves(method: WipeMethod): "zeros" | "other" {
  const ofZeros: readonly WipeMethod[] = ["discard-zeroes", "zero-out", "zeroes"];
  return ofZeros.includes(method) ? "zeros" : "other";
}

export function chooseMethods(abilities: DiskAbilities): MethodChoice {
  const { nvme, ata, scsi, rotational } = abilities;
  const methods: WipeMethod[] = [];
  const notes: string[] = [];
  const add = (isPossible: boolean, method: WipeMethod): void => void (isPossible && methods.push(method));
  if (nvme !== undefined) {
    const { sanitizes, formats, formatsByCrypto, formatsAll, alone } = nvme;
    add(sanitizes.crypto && alone, "nvme-sanitize-crypto");
    add(sanitizes.block && alone, "nvme-sanitize-block");
    add(formats && formatsByCrypto && (alone || !formatsAll), "nvme-format-crypto");
    add(formats && (alone || !formatsAll), "nvme-format-erase");
    if (!alone && (sanitizes.crypto || sanitizes.block)) notes.push("no sanitize: the controller has other namespaces");
    if (!alone && formats && formatsAll) notes.push("no format: it would erase the controller's other namespaces");
  }
  if (ata !== undefined) {
    const { sanitizes, security } = ata;
    add(sanitizes.crypto, "ata-sanitize-crypto");
    add(sanitizes.block, "ata-sanitize-block");
    const problem = securityProblem(security);
    add(problem === undefined && security.enhanced, "ata-security-erase-enhanced");
    add(problem === undefined, "ata-security-erase");
    if (security.supported && problem !== undefined) notes.push(`no security erase: ${problem}`);
    if (!security.supported && methods.length === 0) notes.push("the disk knows neither sanitize nor security erase");
  }
  add(scsi?.sanitizes.crypto === true, "scsi-sanitize-crypto");
  add(scsi?.sanitizes.block === true, "scsi-sanitize-block");
  add(!rotational, "secure-discard");
  add(ata?.trimsToZero === true, "discard-zeroes");
  // As slow as writing zeros, and to be waited for in the dark: only where there is more to reach than can be written.
  add(nvme?.sanitizes.overwrite === true && nvme.alone, "nvme-sanitize-overwrite");
  add(ata?.sanitizes.overwrite === true && !rotational, "ata-sanitize-overwrite");
  add(scsi?.sanitizes.overwrite === true && !rotational, "scsi-sanitize-overwrite");
  methods.push("zero-out", "zeroes");
  return { methods, notes };
}

function securityProblem(security: NonNullable<DiskAbilities["ata"]>["security"]): string | undefined {
  if (!security.supported) return "the disk does not have it";
  if (security.frozen) return "the firmware has frozen it";
  if (security.expired) return "too many wrong passwords; it has to be switched off and on";
  if (security.locked) return "the disk is locked by a password that is not ours";
  if (security.enabled) return "the disk has a password that is not ours";
  return undefined;
}
