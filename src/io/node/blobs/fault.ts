import { Fault } from "#std/fault.ts";

/** A file system's error as the Fault of a door; Faults pass. */
export function diskFault(error: unknown): Fault {
  if (Fault.is(error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return Fault.from(error);
  const full = code === "ENOSPC" || code === "EDQUOT";
  return new Fault(full ? "io.no-space" : "io.failed", full ? `no space left: ${message}` : message, {
    fault: "world",
    retry: "later",
    cause: error,
  });
}
