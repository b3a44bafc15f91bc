/** DSP0268 SecureBoot. */
import { type Document, flag, link, section, text } from "./document.ts";
import { defined } from "./root.ts";

export interface SecureBoot {
  /** In the boot that runs now. */
  readonly isActive?: boolean;
  /** From the next boot on. */
  readonly isEnabled?: boolean;
  /** `UserMode`, `SetupMode`, `AuditMode`, `DeployedMode` */
  readonly mode?: string;
  readonly settings?: string;
}

export function readSecureBoot(document: Document): SecureBoot {
  const current = text(document, "SecureBootCurrentBoot");
  return defined<SecureBoot>({
    isActive: current === undefined ? undefined : current === "Enabled",
    isEnabled: flag(document, "SecureBootEnable"),
    mode: text(document, "SecureBootMode"),
    settings: link(section(document, "@Redfish.Settings"), "SettingsObject"),
  });
}
