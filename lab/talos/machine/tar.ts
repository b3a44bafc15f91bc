/** One file as a tar.gz (POSIX.1-2017, pax §ustar), as Talos sends its kubeconfig. */
import { gzipSync } from "node:zlib";

const BLOCK = 512;

export function archiveOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (at: number, length: number, value: number): void =>
    void header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  header.write(name, 0, 100, "latin1");
  octal(100, 8, 0o600);
  octal(108, 8, 0);
  octal(116, 8, 0);
  octal(124, 12, content.length);
  octal(136, 12, Math.floor(Date.now() / 1000));
  header.write("        0", 148, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  octal(
    148,
    7,
    header.reduce((sum, byte) => sum + byte, 0),
  );
  const padded = Buffer.alloc(Math.ceil(content.length / BLOCK) * BLOCK);
  content.copy(padded);
  return gzipSync(Buffer.concat([header, padded, Buffer.alloc(2 * BLOCK)]));
}
