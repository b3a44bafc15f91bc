/**
 * iPXE as far as our scripts go, from their bytes: lines, labels, `&&`, `||`, `;` and `${settings}` as iPXE's own src/core/exec.c reads them. What a
 * script asks of the machine (files, DHCP, time) is done by who runs it.
 */
import { encodeUri } from "./uri.ts";

export interface IpxeMachine {
  /** Values by name; what is not there is empty. */
  readonly settings: Map<string, string>;
  /** Undefined when it could not be had. */
  fetch(url: URL): Promise<Uint8Array | undefined>;
  /** Whether the interface got an address. */
  dhcp(device: string): Promise<boolean>;
  sleep(milliseconds: number): Promise<void>;
  /** Boots from a disk: true when there is something to boot, and then nothing comes back. */
  hasSystem(drive: number): boolean;
  print(line: string): void;
}

export type Outcome =
  | { readonly does: "exit"; readonly status: number }
  | { readonly does: "reboot" | "poweroff" }
  | { readonly does: "sanboot"; readonly drive: number }
  | { readonly does: "boot"; readonly kernel: Uint8Array; readonly initrd: Uint8Array; readonly commandLine: string };

/** More commands than any script of ours runs before it waits; one that runs in circles is stopped. */
const LIMIT = 100_000;

type Ran = "ok" | "failed" | { readonly goto: string } | { readonly out: Outcome };

class Script {
  readonly lines: readonly string[];
  readonly url: URL;
  at = 0;

  constructor(bytes: Uint8Array, url: URL) {
    this.lines = Buffer.from(bytes).toString("latin1").replaceAll("\\\n", "").split("\n");
    this.url = url;
  }
}

/** Runs the script at `url` and those it chains to, to the end. */
export async function runIpxe(machine: IpxeMachine, url: URL): Promise<Outcome> {
  const run = new Run(machine);
  const ran = await run.chain(url);
  return typeof ran === "object" && "out" in ran ? ran.out : { does: "exit", status: ran === "ok" ? 0 : 1 };
}

class Run {
  readonly #machine: IpxeMachine;
  #kernel: { bytes: Uint8Array; commandLine: string } | undefined;
  #initrd = new Uint8Array();
  #commands = 0;

  constructor(machine: IpxeMachine) {
    this.#machine = machine;
  }

  async chain(url: URL): Promise<Ran> {
    const bytes = await this.#machine.fetch(url);
    if (bytes === undefined) return "failed";
    if (!Buffer.from(bytes.subarray(0, 6)).equals(Buffer.from("#!ipxe"))) return "failed";
    return await this.#script(new Script(bytes, url));
  }

  async #script(script: Script): Promise<Ran> {
    while (script.at < script.lines.length) {
      const line = script.lines[script.at++]!;
      if (line.startsWith("#") || line.startsWith(":") || line.trim() === "") continue;
      const ran = await this.#line(
        script,
        line.split(/\s+/).filter((word) => word !== ""),
      );
      if (typeof ran === "object" && "out" in ran) return ran;
      // A failure that nothing follows ends the script (exec.c, `script_exec`).
      if (ran === "failed") return "failed";
      if (typeof ran === "object") {
        const label = script.lines.findIndex((each) => each.trim() === `:${ran.goto}`);
        if (label < 0) return "failed";
        script.at = label + 1;
      }
    }
    return "ok";
  }

  /** Left to right: what stands behind `&&` runs after a success, behind `||` after a failure, behind `;` always. */
  async #line(script: Script, words: readonly string[]): Promise<Ran> {
    let ran: Ran = "ok";
    let operator = ";";
    for (let from = 0; from <= words.length;) {
      const found = words.findIndex((word, i) => i >= from && (word === "&&" || word === "||" || word === ";"));
      const to = found < 0 ? words.length : found;
      const skips = (operator === "&&" && ran === "failed") || (operator === "||" && ran === "ok");
      if (!skips) ran = await this.#command(script, words.slice(from, to));
      if (typeof ran === "object") return ran;
      operator = words[to] ?? ";";
      from = to + 1;
    }
    return ran;
  }

  async #command(script: Script, raw: readonly string[]): Promise<Ran> {
    if (++this.#commands > LIMIT) return { out: { does: "reboot" } };
    const comment = raw.findIndex((word) => word.startsWith("#"));
    const [name = "", ...words] = (comment < 0 ? raw : raw.slice(0, comment)).map((word) => this.#expand(word));
    if (name === "") return "ok";
    const { options, operands } = divide(name, words);
    const url = (): URL | undefined =>
      URL.canParse(operands[0] ?? "", script.url) ? new URL(operands[0]!, script.url) : undefined;
    const { settings } = this.#machine;
    switch (name) {
      case "echo":
        this.#machine.print(words.join(" "));
        return "ok";
      case "set":
        settings.set(bare(operands[0] ?? ""), operands.slice(1).join(" "));
        return "ok";
      case "clear":
        settings.delete(bare(operands[0] ?? ""));
        return "ok";
      case "inc": {
        const setting = bare(operands[0] ?? "");
        settings.set(setting, String(Number(settings.get(setting) ?? "0") + Number(operands[1] ?? "1")));
        return "ok";
      }
      case "isset":
        return operands.join("") === "" ? "failed" : "ok";
      case "iseq":
        return operands[0] === operands[1] ? "ok" : "failed";
      case "goto":
        return { goto: operands[0] ?? "" };
      case "sleep":
        await this.#machine.sleep(Number(operands[0]) * 1000);
        return "ok";
      case "prompt":
        await this.#machine.sleep(Number(options.get("timeout") ?? 0));
        return "failed";
      case "ifstat":
      case "route":
      case "ifclose":
      case "imgfree":
      case "iflinkwait":
        return "ok";
      case "dhcp":
        return (await this.#machine.dhcp(operands[0] ?? "net0")) ? "ok" : "failed";
      case "kernel": {
        const bytes = await this.#fetch(url());
        if (bytes === undefined) return "failed";
        this.#kernel = { bytes, commandLine: operands.slice(1).join(" ") };
        return "ok";
      }
      case "initrd": {
        const bytes = await this.#fetch(url());
        if (bytes === undefined) return "failed";
        this.#initrd = new Uint8Array(bytes);
        return "ok";
      }
      case "boot": {
        if (this.#kernel === undefined) return "failed";
        const { bytes, commandLine } = this.#kernel;
        return { out: { does: "boot", kernel: bytes, initrd: this.#initrd, commandLine } };
      }
      case "chain": {
        const where = url();
        const ran = where === undefined ? "failed" : await this.chain(where);
        // With --replace whoever chained is gone: a script that ends well ends it all, one that cannot be had comes back.
        return ran === "ok" && options.has("replace") ? { out: { does: "exit", status: 0 } } : ran;
      }
      case "sanboot": {
        const drive = Number(options.get("drive") ?? 0x80);
        return this.#machine.hasSystem(drive) ? { out: { does: "sanboot", drive } } : "failed";
      }
      case "exit":
        return { out: { does: "exit", status: Number(operands[0] ?? 0) } };
      case "reboot":
      case "poweroff":
        return { out: { does: name } };
      default:
        return "failed";
    }
  }

  async #fetch(url: URL | undefined): Promise<Uint8Array | undefined> {
    return url === undefined ? undefined : await this.#machine.fetch(url);
  }

  /** The innermost `${…}` first, until there is none (settings.c, `expand_settings`). */
  #expand(word: string): string {
    for (let text = word; ;) {
      const start = text.indexOf("}") < 0 ? -1 : text.lastIndexOf("${", text.indexOf("}"));
      if (start < 0) return text;
      const end = text.indexOf("}", start);
      text = text.slice(0, start) + this.#value(text.slice(start + 2, end)) + text.slice(end + 1);
    }
  }

  /** `name[:type]`, as it is shown in that type. */
  #value(setting: string): string {
    const [name = "", type] = setting.split(":");
    const value = this.#machine.settings.get(name) ?? "";
    if (type === "hexhyp") return value.replaceAll(":", "-");
    return type === "uristring" ? encodeUri(value) : value;
  }
}

/** Options that have a value behind a space. */
const VALUED: Readonly<Record<string, readonly string[]>> = {
  prompt: ["key", "timeout"],
  iflinkwait: ["timeout"],
  sanboot: ["drive", "filename"],
  kernel: ["name"],
  initrd: ["name"],
};

function divide(command: string, words: readonly string[]): { options: Map<string, string>; operands: readonly string[] } {
  const options = new Map<string, string>();
  let at = 0;
  for (; at < words.length && words[at]!.startsWith("-"); at++) {
    if (words[at] === "--") {
      at++;
      break;
    }
    const [name = "", value] = words[at]!.replace(/^--?/, "").split(/=(.*)/s);
    if (value !== undefined) options.set(name, value);
    else if (VALUED[command]?.includes(name) === true) options.set(name, words[++at] ?? "");
    else options.set(name, "");
  }
  return { options, operands: words.slice(at) };
}

function bare(setting: string): string {
  return setting.split(":", 1)[0]!;
}
