/** Passwords that BMCs take: their makers' rules as data, and random passwords by them. */

const CLASSES = {
  // Without those that people confuse when they read them out: 0 O o, 1 I l i.
  upper: "ABCDEFGHJKLMNPQRSTUVWXYZ",
  lower: "abcdefghjkmnpqrstuvwxyz",
  digit: "23456789",
  // Known to all makers' rules below, and harmless in shells, JSON and URLs.
  special: "-_.",
} as const;
export type CharacterClass = keyof typeof CLASSES;

/** How a password is made and stored; one of each class is in it. */
export interface PasswordForm {
  readonly length: number;
  readonly classes: readonly CharacterClass[];
  /** Bytes of the field it is sent in (IPMI 2.0 §22.30): some BMCs compare with what is stored in the other length. */
  readonly field: 16 | 20;
}

const PLAIN: PasswordForm = { length: 16, classes: ["upper", "lower", "digit"], field: 16 };
const STRICT: PasswordForm = { length: 16, classes: ["upper", "lower", "digit", "special"], field: 16 };
const STRICT_20: PasswordForm = { ...STRICT, field: 20 };
/** The longest that IPMI has. */
const LONG: PasswordForm = { length: 20, classes: STRICT.classes, field: 20 };
const PLAIN_20: PasswordForm = { ...PLAIN, field: 20 };

/** Upstream's first: 16 letters and digits are what most have been seen to take. */
const USUAL = [PLAIN, STRICT, PLAIN_20, STRICT_20, LONG] as const;
const DEMANDING = [STRICT, PLAIN, STRICT_20, LONG] as const;

export interface Maker {
  readonly name: string;
  readonly forms: readonly PasswordForm[];
}

/** By IANA enterprise number, as Get Device ID has it (§20.1). */
const MAKERS: Readonly<Record<number, Maker>> = {
  // iLO User Guide, "Password guidelines", "IPMI/DCMI users": 8 to 39 characters of three classes where complexity is enforced, 20 by IPMI.
  11: { name: "HP", forms: DEMANDING },
  47196: { name: "HPE", forms: DEMANDING },
  // iDRAC9 User's Guide, "Recommended characters in user names and passwords": 20 by IPMI; a policy may want all classes.
  674: { name: "Dell", forms: DEMANDING },
  // BMC Unique Password guide: 8 to 20 characters; jm.technology, "Change IPMI user password": the twentieth is lost, so never 20.
  10876: { name: "Supermicro", forms: [STRICT, PLAIN, STRICT_20] },
  47488: { name: "Supermicro", forms: [STRICT, PLAIN, STRICT_20] },
  // pubs.lenovo.com, "User security": letters and digits, two of upper, lower and special, no character thrice in a row; XCC wants ten or more.
  19046: { name: "Lenovo", forms: DEMANDING },
  20301: { name: "IBM", forms: DEMANDING },
  // forum.huawei.com, iBMC "Complexity check": 8 to 20 characters, a special one and two more classes, not the user's name.
  2011: { name: "Huawei", forms: DEMANDING },
  // Inspur server manuals, "IPMI User": at most 16, all classes where complexity is checked; names of letters, digits, - _ @.
  37945: { name: "Inspur", forms: [STRICT, PLAIN] },
  // Launchpad 2130621 (MAAS): DGX refuses letters and digits alone.
  5703: { name: "NVIDIA", forms: [STRICT, LONG, STRICT_20] },
  // OpenBMC of the others asks cracklib (openbmc/bmcweb#90), which takes anything random.
  343: { name: "Intel", forms: DEMANDING },
  20974: { name: "AMI", forms: USUAL },
};

const UNKNOWN: Maker = { name: "", forms: USUAL };

export function makerOf(manufacturer: number): Maker {
  return MAKERS[manufacturer] ?? UNKNOWN;
}

/** A password of that form; `bytes` gives as many random bytes as asked for. Every password that fits is equally likely. */
export function passwordOf({ length, classes }: PasswordForm, bytes: (length: number) => Uint8Array): string {
  const alphabet = classes.map((name) => CLASSES[name]).join("");
  // Others would be more likely than the rest (256 is no multiple of the alphabet's length).
  const fair = 256 - (256 % alphabet.length);
  for (;;) {
    let password = "";
    while (password.length < length) {
      for (const byte of bytes(length)) {
        if (byte < fair && password.length < length) password += alphabet[byte % alphabet.length]!;
      }
    }
    if (isFit(password, classes)) return password;
  }
}

/** One of each class, a letter first, no character twice in a row. */
function isFit(password: string, classes: readonly CharacterClass[]): boolean {
  const isOf = (name: CharacterClass, character: string): boolean => CLASSES[name].includes(character);
  const hasAll = classes.every((name) => [...password].some((character) => isOf(name, character)));
  const startsWell = isOf("upper", password[0]!) || isOf("lower", password[0]!);
  return hasAll && startsWell && [...password].every((character, i) => i === 0 || character !== password[i - 1]);
}
