/**
 * The string formats that Kubernetes checks (apiextensions `supportedVersionedFormats`, k8s.io/kube-openapi/pkg/validation/strfmt).
 * Others are ignored, as they are there. Every check is linear in the text.
 */
import { labelName, subdomainName } from "./names.ts";
import type { SchemaType } from "./structural.ts";

export interface Format {
  /** As the schema writes it: messages show it. */
  readonly name: string;
  /** For strings; the formats of numbers are ranges, which the validator knows. */
  readonly accepts?: (text: string) => boolean;
}

/** The format a schema of these types means by `name`, undefined when Kubernetes knows none. */
export function findFormat(name: string, types: readonly SchemaType[]): Format | undefined {
  const type = types.length === 1 ? types[0]! : "string";
  switch (type) {
    case "string": {
      const accepts = STRING_FORMATS.get(name.replaceAll("-", ""));
      return accepts === undefined ? undefined : { name, accepts };
    }
    case "integer":
      return name === "int32" || name === "int64" ? { name } : undefined;
    case "number":
      return name === "float" || name === "double" ? { name } : undefined;
    default:
      return undefined;
  }
}

const STRING_FORMATS: ReadonlyMap<string, (text: string) => boolean> = new Map(
  Object.entries({
    bsonobjectid: (text) => /^[0-9a-fA-F]{24}$/.test(text),
    byte: (text) => text !== "" && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text),
    cidr: (text) => isCidr(text, true),
    creditcard: isCreditCard,
    date: isDate,
    datetime: isDateTime,
    duration: isDuration,
    email: isEmail,
    hexcolor: (text) => /^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(text),
    hostname: isHostname,
    ipv4: (text) => text.includes(".") && (isIpv4(text, true) || isIpv6(text, true)),
    ipv6: (text) => isIpv6(text, false),
    isbn: (text) => isIsbn10(text) || isIsbn13(text),
    isbn10: isIsbn10,
    isbn13: isIsbn13,
    k8slongname: (text) => subdomainName(text).length === 0,
    k8sshortname: (text) => labelName(text).length === 0,
    mac: isMac,
    password: () => true,
    rgbcolor: isRgbColor,
    ssn: (text) => /^\d{3}[- ]\d{2}[- ]\d{4}$/.test(text),
    uri: isRequestUri,
    uuid: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
    uuid3: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
    uuid4: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
    uuid5: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  } satisfies Record<string, (text: string) => boolean>),
);

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** RFC 3339 full-date, with days that exist. */
export function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
  return day >= 1 && day <= days;
}

/** RFC 3339 date-time, as loosely as kube-openapi reads it: lower case is fine, and so is any mark before the fraction. */
export function isDateTime(text: string): boolean {
  const [date, time] = text.toLowerCase().split("t");
  if (date === undefined || time === undefined || !isDate(date)) return false;
  const match = /^(\d{2}):(\d{2}):(\d{2})([^\n][0-9]+)?(z|[+-]\d{2}:\d{2})$/.exec(time);
  return match !== null && match[1]! <= "23" && match[2]! <= "59" && match[3]! <= "59";
}

const DURATION_UNITS: readonly (readonly string[])[] = [
  ["ns", "nano"],
  ["us", "µs", "micro"],
  ["ms", "milli"],
  ["s", "sec"],
  ["m", "min"],
  ["h", "hr", "hour"],
  ["d", "day"],
  ["w", "wk", "week"],
];

/** Go's `1h30m`, or anything that names a number with a unit (`3 days`). */
function isDuration(text: string): boolean {
  if (/^[-+]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/.test(text)) return true;
  for (const match of text.matchAll(/\d+\s*([A-Za-zµ]+)/g)) {
    const unit = match[1]!.toLowerCase();
    if (DURATION_UNITS.some((names) => names.includes(unit) || unit.startsWith(names.at(-1)!))) return true;
  }
  return false;
}

const HOST_CHARACTER = String.raw`[a-zA-Z0-9\p{S}\p{L}]`;
const HOST_LABEL = String.raw`${HOST_CHARACTER}((${HOST_CHARACTER}|-){0,61}${HOST_CHARACTER})?`;
const HOSTNAME = new RegExp(
  String.raw`^(${HOST_CHARACTER}(-?${HOST_CHARACTER}{0,62})?|(${HOST_LABEL}\.)+[a-zA-Z\p{L}]{2,63})$`,
  "u",
);

function isHostname(text: string): boolean {
  return text.length <= 255 && HOSTNAME.test(text) && text.split(".").every((label) => label.length <= 63);
}

/** `allowsZeros`: leading zeros count as decimal, which Go forgave before 1.17 and Kubernetes still does. */
function isIpv4(text: string, allowsZeros: boolean): boolean {
  const parts = text.split(".");
  const pattern = allowsZeros ? /^\d{1,16}$/ : /^(0|[1-9]\d{0,2})$/;
  return parts.length === 4 && parts.every((part) => pattern.test(part) && Number(part) <= 255);
}

function isIpv6(text: string, allowsZeros: boolean): boolean {
  const halves = text.split("::");
  if (!text.includes(":") || halves.length > 2) return false;
  let groups = 0;
  for (const [i, half] of halves.entries()) {
    const parts = half === "" ? [] : half.split(":");
    for (const [j, part] of parts.entries()) {
      const isLast = i === halves.length - 1 && j === parts.length - 1;
      if (isLast && part.includes(".")) {
        if (!isIpv4(part, allowsZeros)) return false;
        groups += 2;
      } else {
        if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return false;
        groups += 1;
      }
    }
  }
  return halves.length === 2 ? groups < 8 : groups === 8;
}

/** `address/prefix` of either family; `allowsZeros` as for {@link isIpv4}. */
export function isCidr(text: string, allowsZeros: boolean): boolean {
  const [address = "", length = "", ...rest] = text.split("/");
  if (rest.length > 0 || !/^\d{1,3}$/.test(length)) return false;
  if (isIpv4(address, allowsZeros)) return Number(length) <= 32;
  return isIpv6(address, allowsZeros) && Number(length) <= 128;
}

/** 6, 8 or 20 octets, as Go's ParseMAC reads them: `00:00:5e…`, `00-00-5e…`, `0000.5e00…`, `00005e…`. */
function isMac(text: string): boolean {
  const isPairs = /^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2})+$/.test(text) || /^[0-9a-fA-F]{2}(-[0-9a-fA-F]{2})+$/.test(text);
  const isQuads = /^[0-9a-fA-F]{4}(\.[0-9a-fA-F]{4})+$/.test(text);
  const isPlain = /^[0-9a-fA-F]+$/.test(text);
  const digits = text.replaceAll(/[^0-9a-fA-F]/g, "").length;
  return (isPairs || isQuads || isPlain) && (digits === 12 || digits === 16 || digits === 40);
}

const ATOM = String.raw`[A-Za-z0-9!#$%&'*+/=?^_\x60{|}~\u{80}-\u{10ffff}-]+`;
const DOTTED = String.raw`${ATOM}(\.${ATOM})*`;
const ADDRESS = String.raw`(${DOTTED}|"([^"\\]|\\.)+")@(${DOTTED}|\[[0-9A-Fa-f.:]+\])`;
const EMAIL = new RegExp(`^\\s*(${ADDRESS}|([^<>@]*|"([^"\\\\]|\\\\.)*"\\s*)<${ADDRESS}>)\\s*$`, "u");

/** RFC 5322 mailbox, with or without a display name. Longer than RFC 5321 allows is refused before the pattern sees it. */
function isEmail(text: string): boolean {
  return text.length <= 1024 && EMAIL.test(text);
}

/** What Go's url.ParseRequestURI takes: an absolute URI or an absolute path. */
function isRequestUri(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (text === "" || /[\x00-\x1f\x7f]/.test(text)) return false;
  if (text === "*") return true;
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(text)?.[0] ?? "";
  const rest = text.slice(scheme.length);
  if (text.startsWith(":")) return false;
  if (!rest.startsWith("/")) return scheme !== "";
  const [, authority, path] = /^(\/\/[^/?]*)?([^?]*)/.exec(rest)!;
  const host = scheme === "" ? "" : (authority ?? "").slice(2);
  return hasValidEscapes(host) && hasValidEscapes(path!) && isUriHost(host);
}

function hasValidEscapes(text: string): boolean {
  return !/%(?![0-9A-Fa-f]{2})/.test(text);
}

function isUriHost(authority: string): boolean {
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  if (host.startsWith("[")) return /^\[[^\]\s]*\](:\d*)?$/.test(host);
  return /^[^\s<>"\\^`{|}[\]:]*(:\d*)?$/.test(host);
}

/** The Luhn sum, digits from the right. */
function isCreditCard(text: string): boolean {
  const digits = text.replaceAll(/[^0-9]+/g, "");
  const known =
    /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|(222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11}|6[27][0-9]{14})$/;
  if (!known.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits.at(-1 - i));
    const weighted = i % 2 === 1 ? digit * 2 : digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10 === 0;
}

function isIsbn10(text: string): boolean {
  const digits = text.replaceAll(/[\s-]/g, "");
  if (!/^[0-9]{9}[0-9X]$/.test(digits)) return false;
  const sum = [...digits].reduce((total, digit, i) => total + (i + 1) * (digit === "X" ? 10 : Number(digit)), 0);
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replaceAll(/[\s-]/g, "");
  if (!/^[0-9]{13}$/.test(digits)) return false;
  const sum = [...digits].reduce((total, digit, i) => total + (i % 2 === 0 ? 1 : 3) * Number(digit), 0);
  return sum % 10 === 0;
}

function isRgbColor(text: string): boolean {
  const match = /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(text);
  return match !== null && match.slice(1).every((part) => /^(0|[1-9]\d?|1\d\d|2([0-4]\d|5[0-5]))$/.test(part));
}
