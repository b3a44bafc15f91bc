/** Asks a disk what it can do: NVMe controllers and ATA disks by their identity, SCSI disks command by command. */
import type { DiskAbilities } from "#decide/wipe/methods.ts";
import { decodeController } from "#wire/nvme/decode.ts";
import { identifyController } from "#wire/nvme/encode.ts";
import { isSupported } from "#wire/scsi/decode.ts";
import { reportSupport } from "#wire/scsi/encode.ts";
import type { ErasePorts } from "./ports.ts";
import { asked, identityOf } from "./identity.ts";
import type { EraseJob } from "./job.ts";
import { recoverPassword } from "./security.ts";

export interface Probed {
  readonly of: DiskAbilities;
  readonly notes: readonly string[];
}

/** Never throws for what a disk does not know. */
export function probe({ path, rotational, alone }: EraseJob, { block }: Pick<ErasePorts, "block">): Probed {
  const name = path.replace(/^.*\//, "");
  if (name.startsWith("nvme")) {
    const controller = asked(() => decodeController(block.nvme(identifyController())));
    if (controller === undefined) return { of: { rotational }, notes: ["the controller does not say what it can do"] };
    const { sanitizes, formats, formatsByCrypto, formatsAll, erasesAll } = controller;
    return {
      of: { rotational, nvme: { sanitizes, formats, formatsByCrypto, formatsAll: formatsAll || erasesAll, alone } },
      notes: [],
    };
  }
  if (!name.startsWith("sd")) return { of: { rotational }, notes: [] };
  const first = identityOf(block);
  if (first !== undefined) {
    const recovered = recoverPassword(block, first);
    const { sanitizes, security, trimsToZero } = (recovered === undefined ? undefined : identityOf(block)) ?? first;
    return { of: { rotational, ata: { sanitizes, security, trimsToZero } }, notes: recovered === undefined ? [] : [recovered] };
  }
  const can = (action: "cryptographicErase" | "blockErase" | "overwrite"): boolean =>
    asked(() => {
      const { status, data } = block.scsi(reportSupport(action));
      return status === 0 && isSupported(data);
    }) === true;
  return {
    of: {
      rotational,
      scsi: { sanitizes: { crypto: can("cryptographicErase"), block: can("blockErase"), overwrite: can("overwrite") } },
    },
    notes: [],
  };
}
