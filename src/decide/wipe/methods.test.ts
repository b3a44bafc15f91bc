import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseMethods, leaves } from "./methods.ts";
import type { DiskAbilities } from "./methods.ts";

const NONE = { crypto: false, block: false, overwrite: false } as const;
const ALL = { crypto: true, block: true, overwrite: true } as const;
const OPEN = { supported: true, enabled: false, locked: false, frozen: false, expired: false, enhanced: true } as const;
const nvme = (more: Partial<NonNullable<DiskAbilities["nvme"]>> = {}): DiskAbilities => ({
  rotational: false,
  nvme: { sanitizes: NONE, formats: true, formatsByCrypto: false, formatsAll: false, alone: true, ...more },
});
const ata = (more: Partial<NonNullable<DiskAbilities["ata"]>> = {}, rotational = false): DiskAbilities => ({
  rotational,
  ata: { sanitizes: NONE, security: { ...OPEN, supported: false, enhanced: false }, trimsToZero: false, ...more },
});

const TABLE: readonly (readonly [what: string, abilities: DiskAbilities, methods: string, notes?: string])[] = [
  ["a hard disk behind a controller that tells nothing", { rotational: true }, "zero-out zeroes"],
  ["a virtual disk", { rotational: false }, "secure-discard zero-out zeroes"],
  ["an NVMe disk", nvme(), "nvme-format-erase secure-discard zero-out zeroes"],
  [
    "an NVMe disk that can do everything",
    nvme({ sanitizes: ALL, formatsByCrypto: true }),
    "nvme-sanitize-crypto nvme-sanitize-block nvme-format-crypto nvme-format-erase secure-discard nvme-sanitize-overwrite zero-out zeroes",
  ],
  [
    "one of several namespaces",
    nvme({ sanitizes: ALL, formatsByCrypto: true, alone: false }),
    "nvme-format-crypto nvme-format-erase secure-discard zero-out zeroes",
    "no sanitize: the controller has other namespaces",
  ],
  [
    "one of several that are formatted together",
    nvme({ formatsAll: true, alone: false }),
    "secure-discard zero-out zeroes",
    "no format: it would erase the controller's other namespaces",
  ],
  [
    "an SSD with a key and Security",
    ata({ sanitizes: { ...NONE, crypto: true }, security: OPEN }),
    "ata-sanitize-crypto ata-security-erase-enhanced ata-security-erase secure-discard zero-out zeroes",
  ],
  [
    "an SSD that trims to zeros",
    ata({ trimsToZero: true }),
    "secure-discard discard-zeroes zero-out zeroes",
    "the disk knows neither sanitize nor security erase",
  ],
  ["a hard disk with Security", ata({ security: { ...OPEN, enhanced: false } }, true), "ata-security-erase zero-out zeroes"],
  [
    "frozen",
    ata({ security: { ...OPEN, frozen: true } }, true),
    "zero-out zeroes",
    "no security erase: the firmware has frozen it",
  ],
  [
    "locked by somebody",
    ata({ security: { ...OPEN, enabled: true, locked: true } }, true),
    "zero-out zeroes",
    "no security erase: the disk is locked by a password that is not ours",
  ],
  [
    "a SAS SSD",
    { rotational: false, scsi: { sanitizes: ALL } },
    "scsi-sanitize-crypto scsi-sanitize-block secure-discard scsi-sanitize-overwrite zero-out zeroes",
  ],
  ["a SAS hard disk", { rotational: true, scsi: { sanitizes: { ...NONE, overwrite: true } } }, "zero-out zeroes"],
];

for (const [what, abilities, methods, notes = ""] of TABLE) {
  test(what, () => {
    const choice = chooseMethods(abilities);
    assert.equal(choice.methods.join(" "), methods);
    assert.equal(choice.notes.join("; "), notes);
  });
}

test("only methods that write zeros have to leave zeros", () => {
  assert.equal(leaves("zero-out"), "zeros");
  assert.equal(leaves("nvme-sanitize-crypto"), "other");
});
