/** openssl's own client, so that what is offered is not filtered by ours. */
import { execFile } from "node:child_process";

export interface Agreement {
  readonly version: string;
  readonly cipher: string;
}

/**
 * What a client with nothing but this version (`-tls1_2`) and, below TLS 1.3, these suites agrees on; undefined: nothing. TLS 1.1
 * counts as 1.0, from which it has its suites.
 */
export function handshake(port: string, version: string, ciphers: string = "ALL"): Promise<Agreement | undefined> {
  const args = ["s_client", "-connect", `127.0.0.1:${port}`, version, "-cipher", `${ciphers}:@SECLEVEL=0`];
  return new Promise((resolve) => {
    const child = execFile("openssl", args, { timeout: 20_000 }, (_error, stdout) => {
      const [, agreed, cipher] = /^New, (TLS\S+), Cipher is (\w\S+)$/m.exec(stdout) ?? [];
      resolve(agreed === undefined || cipher === undefined ? undefined : { version: agreed, cipher });
    });
    child.stdin!.end();
  });
}
