/** Names of machines and sets, made of a fixed part and a random one. */

/** Without vowels, and without what looks alike: as Kubernetes generates names. */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
const SUFFIX = 5;
/** Longest label value, which a machine's name becomes as its Node's host name. */
const LONGEST = 63;
const DEFAULT = "{{ .machineSet.name }}-{{ .random }}";

/** Five characters from as many random bytes. */
export function suffixOf(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, SUFFIX), (byte) => ALPHABET[byte % ALPHABET.length]!).join("");
}

/** `<base>-<suffix>`; a long base is cut. */
export function suffixed(base: string, suffix: string): string {
  return `${base.slice(0, LONGEST - suffix.length - 1)}-${suffix}`;
}

export interface Naming {
  readonly template: string | undefined;
  readonly cluster: string;
  readonly machineSet: string;
}

/** A machine's name by its set's template. One that comes out too long is cut, and keeps its random part. */
export function machineNameOf({ template = DEFAULT, cluster, machineSet }: Naming, suffix: string): string {
  const values: Readonly<Record<string, string>> = { "cluster.name": cluster, "machineSet.name": machineSet, random: suffix };
  const name = template.replaceAll(/\{\{\s*\.([A-Za-z.]+)\s*\}\}/g, (_text, path: string) => values[path] ?? "");
  return name.length <= LONGEST ? name : suffixed(name.replace(suffix, ""), suffix);
}
