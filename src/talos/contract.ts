/** Version contracts: what a configuration may say, by the Talos that is to read it (facts §5.5). */
import { refusal } from "./fault.ts";

/** Of major version 1. */
export interface Contract {
  readonly minor: number;
  /** The whole version, where the text named one: `v1.13.4`. */
  readonly tag: string;
}

const OLDEST = 3;
const NEWEST = 15;
/** What an empty version stands for: the newest Talos that has been released. */
const CURRENT = 13;

/** What talosctl of that version installs when nobody says otherwise. */
const KUBERNETES: Readonly<Record<number, string>> = {
  3: "1.26.0",
  4: "1.27.0",
  5: "1.28.0",
  6: "1.29.0",
  7: "1.30.0",
  8: "1.31.0",
  9: "1.32.0",
  10: "1.33.0",
  11: "1.34.0",
  12: "1.35.0",
  13: "1.36.0",
  14: "1.37.0",
  15: "1.37.0",
};

/** `v1.13`, `1.13`, `v1.13.4`; empty is the current one. Throws Fault `talos.options` for what is no version, or none that is known. */
export function parseContract(text = ""): Contract {
  if (text === "") return { minor: CURRENT, tag: `v1.${CURRENT}.0` };
  const [, major, minor, rest] = /^v?(\d{1,3})\.(\d{1,3})(\.[0-9A-Za-z.+-]*)?$/.exec(text) ?? [];
  if (major === undefined) throw refusal("talos.options", "a version of Talos is like v1.13 or v1.13.4");
  const number = Number(minor);
  if (Number(major) !== 1 || number < OLDEST || number > NEWEST)
    throw refusal("talos.options", `Talos ${major}.${minor} is none of v1.${OLDEST} to v1.${NEWEST}`);
  return { minor: number, tag: `v1.${number}${rest === undefined || rest === "." ? ".0" : rest}` };
}

/** Without `v`. */
export function kubernetesOf({ minor }: Contract): string {
  return KUBERNETES[minor]!;
}
