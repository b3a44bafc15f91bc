/** What the file names of boot firmware mean. A name is a key of a map, never a path: nothing here looks at a disk. */

/** Directories that DHCP servers' recipes and other TFTP servers put in front of the programs' names. */
const ROOTS: ReadonlySet<string> = new Set(["tftp", "tftpboot", "var", "lib", "srv", "sidero", "boot", "ipxe"]);

/** A name longer than this is not looked up. */
const LIMIT = 255;

/**
 * The keys under which to look for a file, the likeliest first; none for a name that no file can have. Slashes of either kind and `.` say
 * nothing. Firmware that reads option 67 past its end hangs 0xFF or NUL behind the name (as Dell's does): everything from the first byte
 * that is not printable ASCII is left out.
 */
export function keysOf(file: string): string[] {
  const parts = file
    .slice(0, LIMIT + 1)
    .replace(/[^ -~].*$/s, "")
    .split(/[/\\]+/)
    .filter((part) => part !== "" && part !== ".");
  if (parts.length === 0 || parts.includes("..") || file.length > LIMIT) return [];
  const keys = [parts.join("/")];
  const first = parts.findIndex((part, i) => i === parts.length - 1 || !ROOTS.has(part.toLowerCase()));
  if (first > 0) keys.push(parts.slice(first).join("/"));
  return keys;
}

/** For logs and sightings: what is not printable is shown as `?`. */
export function shown(file: string): string {
  const text = file.replaceAll(/[^ -~]/g, "?");
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
