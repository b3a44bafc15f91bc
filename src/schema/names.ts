/**
 * The names Kubernetes accepts, with the messages of k8s.io/apimachinery (`util/validation`, `api/validate/content`).
 * Every function returns what is wrong with its argument, [] when nothing is. Lengths are in bytes, as Go counts them.
 */
import { utf8Length } from "#std/utf8.ts";

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const KEY_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE = `(${KEY_NAME})?`;
const CONFIG_KEY = "[-._a-zA-Z0-9]+";

const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " +
  "and must start and end with an alphanumeric character";
const LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " +
  "and must start and end with an alphanumeric character";
const LABEL_1035_RULE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', " +
  "start with an alphabetic character, and end with an alphanumeric character";
const KEY_NAME_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const LABEL_VALUE_RULE = `a valid label must be an empty string or ${KEY_NAME_RULE.slice("must ".length)}`;
const CONFIG_KEY_RULE = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";

const LABEL_PATTERN = anchored(LABEL);
const LABEL_1035_PATTERN = anchored(LABEL_1035);
const KEY_NAME_PATTERN = anchored(KEY_NAME);
const LABEL_VALUE_PATTERN = anchored(LABEL_VALUE);
const CONFIG_KEY_PATTERN = anchored(CONFIG_KEY);

const SUBDOMAIN_PROBLEM = patternMessage(SUBDOMAIN_RULE, SUBDOMAIN, ["example.com"]);
const LABEL_PROBLEM = patternMessage(LABEL_RULE, LABEL, ["my-name", "123-abc"]);
const LABEL_1035_PROBLEM = patternMessage(LABEL_1035_RULE, LABEL_1035, ["my-name", "abc-123"]);
const KEY_NAME_PROBLEM = patternMessage(KEY_NAME_RULE, KEY_NAME, ["MyName", "my.name", "123-abc"]);
const LABEL_VALUE_PROBLEM = patternMessage(LABEL_VALUE_RULE, LABEL_VALUE, ["MyValue", "my_value", "12345"]);
const CONFIG_KEY_PROBLEM = patternMessage(CONFIG_KEY_RULE, CONFIG_KEY, ["key.name", "KEY_NAME", "key-name"]);

function anchored(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}

/** `<rule> (e.g. 'a',  or 'b', regex used for validation is '…')`, odd commas included: that is apimachinery's text. */
export function patternMessage(rule: string, pattern: string, examples: readonly string[]): string {
  const quoted = examples.map((example) => `'${example}', `).join(" or ");
  return `${rule} (e.g. ${quoted}regex used for validation is '${pattern}')`;
}

function tooLong(value: string, maximum: number, unit: "characters" | "bytes"): string[] {
  return value.length * 3 > maximum && utf8Length(value) > maximum ? [`must be no more than ${maximum} ${unit}`] : [];
}

/** Linear where the pattern with its nested repetition would backtrack: every label by itself. */
function isSubdomain(value: string): boolean {
  return value.split(".").every((label) => LABEL_PATTERN.test(label));
}

/** RFC 1123 label: the name of a namespace. */
export function labelName(value: string): string[] {
  const problems = tooLong(value, 63, "characters");
  if (LABEL_PATTERN.test(value)) return problems;
  if (isSubdomain(value)) return [...problems, "must not contain dots"];
  return [...problems, LABEL_PROBLEM];
}

/** RFC 1123 subdomain: the name of most objects. */
export function subdomainName(value: string): string[] {
  return subdomain(value, "characters");
}

function subdomain(value: string, unit: "characters" | "bytes"): string[] {
  const problems = tooLong(value, 253, unit);
  if (!isSubdomain(value)) problems.push(SUBDOMAIN_PROBLEM);
  return problems;
}

/** RFC 1035 label: a service's name, and the names in a CustomResourceDefinition. */
export function label1035Name(value: string): string[] {
  const problems = tooLong(value, 63, "characters");
  if (!LABEL_1035_PATTERN.test(value)) problems.push(LABEL_1035_PROBLEM);
  return problems;
}

/** A label's or annotation's key and a finalizer: `[subdomain/]name`. */
export function labelKey(value: string): string[] {
  const parts = value.split("/");
  if (parts.length > 2)
    return [`a valid label key ${KEY_NAME_PROBLEM} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const problems: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0]!;
    const prefixProblems = prefix === "" ? ["must be non-empty"] : subdomain(prefix, "bytes");
    problems.push(...prefixProblems.map((problem) => `prefix part ${problem}`));
  }
  const name = parts.at(-1)!;
  const length = name === "" ? ["must be non-empty"] : tooLong(name, 63, "bytes");
  if (!KEY_NAME_PATTERN.test(name)) length.push(KEY_NAME_PROBLEM);
  return [...problems, ...length.map((problem) => `name part ${problem}`)];
}

export function labelValue(value: string): string[] {
  const problems = tooLong(value, 63, "bytes");
  if (!LABEL_VALUE_PATTERN.test(value)) problems.push(LABEL_VALUE_PROBLEM);
  return problems;
}

/** A key in the data of a ConfigMap or Secret. */
export function configKey(value: string): string[] {
  const problems = tooLong(value, 253, "characters");
  if (!CONFIG_KEY_PATTERN.test(value)) problems.push(CONFIG_KEY_PROBLEM);
  if (value === "." || value === "..") problems.push(`must not be '${value}'`);
  else if (value.startsWith("..")) problems.push("must not start with '..'");
  return problems;
}

/** What every object's name must be whatever its kind: safe as one segment of a URL. */
export function pathSegmentName(value: string): string[] {
  if (value === "." || value === "..") return [`may not be '${value}'`];
  return ["/", "%"].filter((character) => value.includes(character)).map((character) => `may not contain '${character}'`);
}

/** A name to which something will be appended may end in a dash: it is judged without it (apimachinery's `maskTrailingDash`). */
export function maskTrailingDash(prefix: string): string {
  return prefix.length > 1 && prefix.endsWith("-") ? `${prefix.slice(0, -2)}a` : prefix;
}
