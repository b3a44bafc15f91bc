/** What it says when something cannot be listened on. */
import type { SettingName } from "#cli/settings/table.ts";
import { Fault } from "#std/fault.ts";

/** The same fault, with the setting that can be changed. */
export function refusedFor(setting: SettingName, error: unknown): Fault {
  const { code, message, fault, retry } = Fault.from(error);
  return code.startsWith("io.") ? new Fault(code, `--${setting}: ${message}`, { fault, retry, cause: error }) : Fault.from(error);
}
