/** TLS to servers whose certificates nobody may have signed: whoever asked for it is shown the certificate and says whether to go on. */
import { constants } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { buildConnector } from "undici";
import type { Judge } from "../http.ts";

export interface JudgedOptions {
  readonly judge: Judge;
  /** Milliseconds until a connection must be up, TLS included. */
  readonly timeout: number;
  readonly ca?: string | undefined;
  readonly serverName?: string | undefined;
}

/**
 * For undici's `connect`. No session is resumed, as a resumed one shows no certificate. Controllers of machines are older than the rules
 * of today: short keys and renegotiation as before RFC 5746 are let through, TLS before 1.2 is not.
 */
export function judgedConnector({ judge, timeout, ca, serverName }: JudgedOptions): buildConnector.connector {
  const connect = buildConnector({
    timeout,
    keepAlive: true,
    maxCachedSessions: 0,
    rejectUnauthorized: false,
    minVersion: "TLSv1.2",
    ciphers: "DEFAULT@SECLEVEL=0",
    secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  });
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      try {
        if (options.protocol === "https:") judge(shown(socket as TLSSocket));
        callback(null, socket);
      } catch (refusal) {
        socket.destroy();
        callback(refusal as Error, null);
      }
    });
}

function shown(socket: TLSSocket): Parameters<Judge>[0] {
  const { fingerprint256 } = socket.getPeerCertificate();
  const fingerprint = fingerprint256.replaceAll(":", "").toLowerCase();
  if (socket.authorized) return { fingerprint, isVerified: true };
  return { fingerprint, isVerified: false, problem: String(socket.authorizationError) };
}
