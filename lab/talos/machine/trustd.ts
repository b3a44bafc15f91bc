/** trustd (TCP 50001): control plane machines sign the certificates of workers' APIs, for whoever has the machine token. Both its ends. */
import { timingSafeEqual } from "node:crypto";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { connectNodeAdapter, createGrpcTransport } from "@connectrpc/connect-node";
import { createSecureServer } from "node:http2";
import { SecurityService } from "#proto/talos/security_pb.js";
import { standardKey } from "#io/node/pki.ts";
import type { KeyPair } from "#talos/pki.ts";
import { createRequest, readRequest, sign } from "./signing.ts";

export const TRUSTD = 50_001;
const YEAR = 8_760 * 3_600_000;

export interface TrustdOptions {
  readonly token: string;
  readonly authority: KeyPair;
  readonly serving: KeyPair;
}

/** Resolves when it listens. */
export function startTrustd({ token, authority, serving }: TrustdOptions): Promise<void> {
  const handle = connectNodeAdapter({
    routes: (router) =>
      void router.service(SecurityService, {
        certificate: async ({ csr }, { requestHeader }) => {
          if (!isSame(requestHeader.get("token") ?? "", token))
            throw new ConnectError("invalid credentials", Code.Unauthenticated);
          const { request, groups } = await readRequest(Buffer.from(csr).toString());
          // It would be a role.
          if (groups.length > 0) throw new ConnectError("a server has no organization", Code.PermissionDenied);
          const crt = await sign(request, authority, { usage: "server", lifetime: YEAR });
          return { ca: Buffer.from(authority.certificate), crt: Buffer.from(crt) };
        },
      }),
  });
  const server = createSecureServer({ cert: serving.certificate, key: standardKey(serving.key) }, handle);
  return new Promise((resolve, reject) => server.once("error", reject).listen(TRUSTD, "0.0.0.0", () => resolve()));
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

export interface Applicant {
  readonly host: string;
  readonly token: string;
  /** PEM. */
  readonly authority: string;
  readonly names: readonly string[];
}

/** Rejects when nobody answers there who has a certificate of the authority, or the token is not taken. */
export async function applyToTrustd({ host, token, authority, names }: Applicant): Promise<KeyPair> {
  const { csr, key } = await createRequest({ subject: [{ type: "CN", value: names[0] ?? "machine" }], names });
  const transport = createGrpcTransport({
    baseUrl: `https://${host.includes(":") ? `[${host}]` : host}:${TRUSTD}`,
    nodeOptions: { ca: authority },
  });
  const client = createClient(SecurityService, transport);
  const { crt } = await client.certificate({ csr: Buffer.from(csr) }, { headers: { token }, timeoutMs: 60_000 });
  return { certificate: Buffer.from(crt).toString(), key };
}
