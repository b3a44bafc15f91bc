/** Who we are to the service: a session with a token (DSP0266 §13.3.4), or where there is none, name and password with each request. */
import { pathOf } from "#wire/redfish/document.ts";
import type { Credentials } from "../bmc.ts";
import type { Exchange } from "./exchange.ts";
import { bmcFault } from "../fault.ts";
import { refusalOf } from "./fault.ts";

/** What a service says that has no sessions, or none that work. That it takes no password is none of these: asking twice locks accounts. */
const NO_SESSIONS = new Set([404, 405, 500, 501]);

type State =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: string; readonly path: string | undefined }
  | { readonly kind: "basic" };

export class Session {
  readonly #exchange: Exchange;
  readonly #credentials: Credentials | undefined;
  #sessions: string | undefined;
  #state: State = { kind: "none" };

  constructor(exchange: Exchange, credentials: Credentials | undefined) {
    this.#exchange = exchange;
    this.#credentials = credentials;
  }

  /** Where sessions are created, once the root has said so. */
  set sessions(path: string | undefined) {
    this.#sessions = path;
  }

  /** How requests are to be signed; begins the session where there is none. Faults of the exchange, `bmc.denied`, `bmc.busy`. */
  async headers(signal: AbortSignal): Promise<Record<string, string>> {
    if (this.#credentials === undefined) return {};
    if (this.#state.kind === "none") this.#state = await this.#begin(this.#credentials, signal);
    if (this.#state.kind === "token") return { "x-auth-token": this.#state.token };
    const { user, password } = this.#credentials;
    return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
  }

  /** The token was refused: it may have expired. False where another one cannot help. */
  expire(): boolean {
    if (this.#state.kind !== "token") return false;
    this.#state = { kind: "none" };
    return true;
  }

  /** Ends it at the service, which has room for few. */
  async close(signal: AbortSignal): Promise<void> {
    const state = this.#state;
    this.#state = { kind: "none" };
    if (state.kind !== "token" || state.path === undefined) return;
    await this.#exchange({ method: "DELETE", path: state.path, headers: { "x-auth-token": state.token } }, signal);
  }

  async #begin({ user, password }: Credentials, signal: AbortSignal): Promise<State> {
    if (this.#sessions === undefined) return { kind: "basic" };
    const body = { UserName: user, Password: password };
    const answer = await this.#exchange({ method: "POST", path: this.#sessions, body }, signal);
    if (NO_SESSIONS.has(answer.status)) return { kind: "basic" };
    if (answer.status === 401) throw bmcFault("denied", "the BMC does not take this user name and password");
    if (answer.status < 200 || answer.status > 299) throw refusalOf(`POST ${this.#sessions}`, answer, "secret");
    const token = answer.headers["x-auth-token"];
    if (token === undefined) return { kind: "basic" };
    const path = pathOf(answer.headers["location"]) ?? pathOf(answer.document?.["@odata.id"]);
    return { kind: "token", token, path };
  }
}
