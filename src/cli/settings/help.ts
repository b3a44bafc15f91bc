/** The table as help text and as the reference page. */
import { formatDuration } from "#std/duration.ts";
import type { Role, Setting } from "./setting.ts";
import { SETTINGS } from "./table.ts";

const entries = Object.entries(SETTINGS) as [string, Setting][];

/** The default as one would write it on the command line. */
export function defaultText(setting: Setting): string {
  switch (setting.type) {
    case "duration":
      return formatDuration(setting.default);
    case "several":
      return setting.default.join(",");
    case "list":
      return setting.default.join(setting.separator);
    default:
      return String(setting.default);
  }
}

/** The word for the value: `HOST:PORT`, `true|false`, `uefi|bios`… */
export function valueWord(setting: Setting): string {
  if (setting.value !== undefined) return setting.value;
  switch (setting.type) {
    case "choice":
      return setting.choices.join("|");
    case "boolean":
      return "true|false";
    case "duration":
      return "DURATION";
    case "address":
      return "HOST:PORT";
    case "integer":
    case "fraction":
      return "NUMBER";
    default:
      return "VALUE";
  }
}

/** The settings of a role in the order of the table. */
export function settingsOf(role: Role): [string, Setting][] {
  return entries.filter(([, setting]) => setting.roles.includes(role));
}

/** Markdown reference, grouped; generated into docs/reference/settings.md. */
export function settingsReference(): string {
  const groups = [...new Set(entries.map(([, setting]) => setting.group))];
  const sections = groups.map((group) => {
    const rows = entries.filter(([, setting]) => setting.group === group).map(([name, setting]) => row(name, setting));
    return `## ${group}\n\n| setting | default | environment | read by | meaning |\n| --- | --- | --- | --- | --- |\n${rows.join("\n")}\n`;
  });
  return [
    "# Settings",
    "",
    "Generated from `src/cli/settings/table.ts` by `make generate`; do not edit.",
    "A flag (`--name value` or `--name=value`) wins over the environment, the environment over the file given by `--config`",
    "(YAML: the names below without dashes in front). Unknown names and impossible values are refused at start, all at once.",
    "Addresses are `host:port`, `:port` for every address, port `0` for a free one, and `off` for no listener.",
    "",
    ...sections,
  ].join("\n");
}

function row(name: string, setting: Setting): string {
  const word = valueWord(setting).replaceAll("|", "\\|");
  const flag = setting.roles.includes("manifest")
    ? name
    : setting.roles.includes("agent")
      ? `\`${name}=${word}\``
      : `\`--${name} ${word}\``;
  const fallback = defaultText(setting) === "" ? "" : `\`${defaultText(setting)}\``;
  const env = (setting.env ?? []).map((variable) => `\`${variable}\``).join(" ");
  const dash = setting.dashIsEmpty ? " A single `-` is as good as nothing: the next place is looked at." : "";
  return `| ${flag} | ${fallback} | ${env} | ${setting.roles.join(", ")} | ${setting.doc}${dash} |`;
}
