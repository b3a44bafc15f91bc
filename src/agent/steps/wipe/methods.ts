/** What disks do by themselves when they are told to: one function for each method that is a command of theirs. */
import type { WipeMethod } from "#decide/wipe/methods.ts";
import { decodeSanitizeStatus as decodeAtaStatus, registersOf } from "#wire/ata/decode.ts";
import * as ata from "#wire/ata/encode.ts";
import { SANITIZE_ACTION, SECURE_ERASE } from "#wire/nvme/constants.ts";
import { decodeNamespace, decodeSanitizeStatus } from "#wire/nvme/decode.ts";
import * as nvme from "#wire/nvme/encode.ts";
import { decodeSense, sanitizeProgress } from "#wire/scsi/decode.ts";
import * as scsi from "#wire/scsi/encode.ts";
import type { EraseJob } from "./job.ts";
import { notErased } from "./ports.ts";
import type { ErasePorts } from "./ports.ts";
import { securityErase } from "./security.ts";

type Commanded = Exclude<WipeMethod, "secure-discard" | "discard-zeroes" | "zero-out" | "zeroes">;
type Method = (job: EraseJob, ports: ErasePorts) => void;

/** Milliseconds between two looks at how far a disk is, and how long it may take: a week for the largest disks there are. */
const LOOK = 1_000;
const LONGEST = 7 * 86_400_000;
/** A format takes as long as the flash needs. */
const FORMAT_TIMEOUT = 24 * 3_600_000;

export const METHODS: Readonly<Record<Commanded, Method>> = {
  "nvme-sanitize-crypto": nvmeSanitize("nvme-sanitize-crypto", SANITIZE_ACTION.cryptoErase),
  "nvme-sanitize-block": nvmeSanitize("nvme-sanitize-block", SANITIZE_ACTION.blockErase),
  "nvme-sanitize-overwrite": nvmeSanitize("nvme-sanitize-overwrite", SANITIZE_ACTION.overwrite, 1),
  "nvme-format-crypto": nvmeFormat(SECURE_ERASE.cryptographic),
  "nvme-format-erase": nvmeFormat(SECURE_ERASE.userData),
  "ata-sanitize-crypto": ataSanitize("ata-sanitize-crypto", "cryptoScramble"),
  "ata-sanitize-block": ataSanitize("ata-sanitize-block", "blockErase"),
  "ata-sanitize-overwrite": ataSanitize("ata-sanitize-overwrite", "overwrite"),
  "ata-security-erase-enhanced": (_job, ports) => securityErase(true, ports),
  "ata-security-erase": (_job, ports) => securityErase(false, ports),
  "scsi-sanitize-crypto": scsiSanitize("scsi-sanitize-crypto", "cryptographicErase"),
  "scsi-sanitize-block": scsiSanitize("scsi-sanitize-block", "blockErase"),
  "scsi-sanitize-overwrite": scsiSanitize("scsi-sanitize-overwrite", "overwrite"),
};

type Look = { readonly state: "running" | "done" | "failed"; readonly progress: number };

/** A sanitize cannot be stopped, and goes on after a power cycle: it is waited for. */
function awaitEnd(method: string, { tell, pause }: ErasePorts, look: () => Look): void {
  for (let waited = 0; waited < LONGEST; waited += LOOK) {
    const { state, progress } = look();
    if (state === "done") return;
    if (state === "failed") throw notErased("the disk says that it failed");
    tell({ state: "wiping", percent: Math.min(94, Math.round(progress * 95)), method });
    pause(LOOK);
  }
  throw notErased("the disk does not come to an end");
}

function nvmeSanitize(method: string, action: number, passes?: number): Method {
  return (_job, ports) => {
    const { block } = ports;
    const status = () => decodeSanitizeStatus(block.nvme(nvme.sanitizeStatus()));
    // One that was begun before the machine lost power has to end first, and one that failed bars everything but another one.
    if (status().state === "running") awaitEnd(method, ports, () => lookAt(status()));
    block.nvme(nvme.sanitize(passes === undefined ? { action } : { action, passes }));
    awaitEnd(method, ports, () => lookAt(status()));
  };
}

function lookAt({ state, progress }: ReturnType<typeof decodeSanitizeStatus>): Look {
  return { state: state === "never" ? "failed" : state, progress };
}

/** To the format that it has. */
function nvmeFormat(secureErase: number): Method {
  return (_job, { block }) => {
    const namespace = block.namespace();
    const { flbas, dps } = decodeNamespace(block.nvme(nvme.identifyNamespace(namespace)));
    block.nvme(nvme.formatNvm({ namespace, flbas, dps, secureErase, timeout: FORMAT_TIMEOUT }));
  };
}

function ataSanitize(method: string, how: Parameters<typeof ata.sanitizeDevice>[0]): Method {
  return (_job, ports) => {
    const { block } = ports;
    if (block.scsi(ata.sanitizeDevice(how)).status !== 0) throw notErased("the disk refused");
    let looks = 0;
    awaitEnd(method, ports, () => {
      // CK_COND: the registers come as sense data, and a check condition with them.
      const registers = registersOf(block.scsi(ata.sanitizeStatus()).sense);
      if (registers === undefined) throw notErased("the disk does not say how far it is");
      const { state, progress } = decodeAtaStatus(registers);
      // It may take a moment to say that it has begun.
      return { state: state === "idle" ? (++looks > 10 ? "failed" : "running") : state, progress };
    });
  };
}

function scsiSanitize(method: string, action: Parameters<typeof scsi.sanitizeUnit>[0]): Method {
  return (_job, ports) => {
    const { block } = ports;
    if (block.scsi(scsi.sanitizeUnit(action)).status !== 0) throw notErased("the disk refused");
    awaitEnd(method, ports, () => {
      const { status, data } = block.scsi(scsi.requestSense());
      if (status !== 0) throw notErased("the disk does not say how far it is");
      const sense = decodeSense(data);
      const progress = sanitizeProgress(sense);
      if (progress !== undefined) return { state: "running", progress };
      // MEDIUM ERROR with SANITIZE COMMAND FAILED (31/03).
      return { state: sense?.code === 0x31 && sense.qualifier === 0x03 ? "failed" : "done", progress: 1 };
    });
  };
}
