/** `sidero assets`: putting files into the asset store by hand, for networks without a way out, and looking at what is there. */
import type { Command } from "commander";
import { Fault } from "#std/fault.ts";

/** The store, as far as it is needed here; {@link Blobs} of `io` has it. */
export interface AssetStore {
  adopt(path: string, expected?: string): Promise<{ readonly sha512: string; readonly size: number }>;
  find(sha512: string): Promise<object | undefined>;
  list(): Promise<readonly { readonly sha512: string; readonly size: number }[]>;
  remove(sha512: string): Promise<void>;
  names(): Promise<readonly AssetName[]>;
  name(entry: AssetName): Promise<void>;
  forget(name: string): Promise<void>;
}

export interface AssetName {
  readonly name: string;
  readonly sha512: string;
  readonly keep: boolean;
}

export interface ImportOptions {
  /** The URL in the Environment that the (one) file is to stand for. */
  readonly url?: string;
  /** What the (one) file must be, in hexadecimal. */
  readonly sha512?: string;
}

/** A store that is open, and has to be closed. */
export interface OpenAssetStore extends AssetStore {
  close(): Promise<void>;
}

/** `make`: the data directory may be a new one. Otherwise Fault `cli.usage` says that it is not there. */
export type OpenStore = (data: string, how: { readonly make: boolean }) => Promise<OpenAssetStore>;

/**
 * Adds `assets import`, `assets list` and `assets remove` to the program. `open` opens the store of a data directory, which a Sidero may
 * have open as well; `data` is the directory to take when the command line does not say.
 */
export function addAssetsCommands(program: Command, data: string, open: OpenStore): void {
  const assets = program
    .command("assets")
    .description("The kernels and initial RAM disks of Environments, as they are on the disk.");
  const add = (line: string, description: string): Command =>
    assets.command(line).description(description).option("--data <DIR>", "data directory, also while Sidero runs on it", data);
  const print = async (directory: string, make: boolean, lines: (store: AssetStore) => Promise<string[]>): Promise<void> => {
    const store = await open(directory, { make });
    try {
      for (const line of await lines(store)) console.log(line);
    } finally {
      await store.close();
    }
  };
  add("import <files...>", "Copy files into the store, for networks without a way out; prints what sha512sum prints.")
    .option("--url <URL>", "the URL of the Environment that the file stands for; else it is found by its SHA-512")
    .option("--sha512 <HEX>", "what the file must be")
    .action(async (files: string[], options: { data: string } & ImportOptions) => {
      await print(options.data, true, (store) => importAssets(store, files, options));
    });
  add("list", "List digest, bytes and origin of every file, having read and checked it.").action(
    async (options: { data: string }) => {
      await print(options.data, false, listAssets);
    },
  );
  add("remove <files...>", "Remove files by the beginning of their digest, by URL or by name.").action(
    async (files: string[], options: { data: string }) => {
      await print(options.data, false, (store) => removeAssets(store, files));
    },
  );
}

/**
 * Copies files into the store, where they stay until they are removed. Returns lines as sha512sum prints them. Rejects with Fault
 * `cli.usage` for options that do not fit, `io.checksum` for another file than expected, `io.failed` for one that cannot be read.
 */
export async function importAssets(store: AssetStore, files: readonly string[], options: ImportOptions = {}): Promise<string[]> {
  const { url, sha512 } = options;
  if (files.length !== 1 && (url !== undefined || sha512 !== undefined)) throw usage("--url and --sha512 are about one file");
  if (url !== undefined && !/^https?:\/\//.test(url))
    throw usage(`--url ${url}: it must be the http or https URL of an Environment`);
  const lines: string[] = [];
  for (const file of files) {
    const blob = await store.adopt(file, sha512?.toLowerCase()).catch((error: unknown) => {
      const { code, message, fault, retry } = Fault.from(error);
      throw new Fault(code, `${file}: ${message}`, { fault, retry, cause: error });
    });
    await store.name({ name: url ?? `import of ${file}`, sha512: blob.sha512, keep: true });
    lines.push(`${blob.sha512}  ${file}`);
  }
  return lines;
}

/** A line for each file: digest, bytes, and where it came from; every file is read and checked. */
export async function listAssets(store: AssetStore): Promise<string[]> {
  const names = await store.names();
  const lines: string[] = [];
  for (const { sha512, size } of await store.list()) {
    const own = names.filter((entry) => entry.sha512 === sha512);
    const whole = (await store.find(sha512)) === undefined ? "  DAMAGED, removed" : "";
    const from = own.map(({ name, keep }) => `${name}${keep ? " (kept)" : ""}`).join(", ");
    lines.push(`${sha512}  ${size}  ${from === "" ? "-" : from}${whole}`);
  }
  return lines;
}

/**
 * Removes files by digest (its beginning will do, from 8 digits on), or forgets a URL or name, and its file if it has no other. Rejects
 * with Fault `cli.usage` for what is not there.
 */
export async function removeAssets(store: AssetStore, which: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  for (const text of which) lines.push(await removeAsset(store, text));
  return lines;
}

async function removeAsset(store: AssetStore, text: string): Promise<string> {
  const names = await store.names();
  const named = names.find(({ name }) => name === text);
  const digests = (await store.list()).map(({ sha512 }) => sha512).filter((sha512) => sha512.startsWith(text));
  const [sha512 = named?.sha512] = text.length < 8 ? [] : digests;
  if (sha512 === undefined) throw usage(`there is no file ${text} (see sidero assets list)`);
  if (named === undefined && digests.length > 1) throw usage(`${text} fits ${digests.length} files`);
  const all = names.filter((entry) => entry.sha512 === sha512);
  const gone = named === undefined ? all : [named];
  for (const { name } of gone) await store.forget(name);
  if (gone.length < all.length) return `forgot ${text}; its file has other names`;
  await store.remove(sha512);
  return `removed ${sha512}`;
}

function usage(message: string): Fault {
  return new Fault("cli.usage", message, { fault: "caller", retry: "never" });
}
