/** A simulated Redfish service: one machine's, in memory or on a socket. */
import type { BootOnce } from "#decide/power.ts";
import type { Handler, Incoming, Outgoing } from "#io/serve.ts";
import { isObject, type JsonObject, own } from "#std/json.ts";
import { text } from "#wire/redfish/document.ts";
import { DOCUMENTS, EJECT, INSERT, interfaceAt, RESET, RESET_TYPES, SESSIONS, SYSTEM, TARGETS } from "./documents.ts";
import type { RedfishMachine } from "./machine.ts";

export interface RedfishHandlerOptions {
  readonly machine: RedfishMachine;
  /** Secrets for sessions. */
  readonly token: () => string;
  /** Sessions at once. Default 16. */
  readonly sessions?: number;
  /**
   * Before anything is answered: an answer of its own (a fault of the service), or, once it resolves with undefined, the right one. One that never
   * resolves hangs.
   */
  readonly before?: (incoming: Incoming) => Promise<Outgoing | undefined>;
}

const MOST_BODY = 64 * 1024;
const OPEN = new Set(["/redfish", "/redfish/v1"]);

export function createRedfishHandler(options: RedfishHandlerOptions): Handler {
  const { machine, token, sessions: most = 16, before } = options;
  const sessions = new Map<string, string>();
  let created = 0;

  const isAllowed = ({ headers }: Incoming): boolean => {
    const asked = headers["x-auth-token"];
    if (asked !== undefined) return [...sessions.values()].includes(asked);
    const pair = Buffer.from(`${machine.user}:${machine.password}`).toString("base64");
    return headers["authorization"] === `Basic ${pair}`;
  };

  const login = (body: JsonObject): Outgoing => {
    if (body["UserName"] !== machine.user || body["Password"] !== machine.password) return refused(401, "NoValidSession");
    if (sessions.size >= most) return refused(503, "SessionLimitExceeded");
    const [path, secret] = [`${SESSIONS}/${++created}`, token()];
    sessions.set(path, secret);
    return answer(201, { "@odata.id": path, UserName: machine.user }, { location: path, "x-auth-token": secret });
  };

  const read = (path: string): JsonObject | undefined => {
    const document = DOCUMENTS[path]?.(machine) ?? interfaceAt(machine, path);
    return document && { "@odata.id": path, Id: path.split("/").at(-1)!, Name: path.split("/").at(-1)!, ...document };
  };

  const get = (path: string, query: string): Outgoing => {
    if (path === "/redfish") return answer(200, { v1: "/redfish/v1/" });
    const document = read(path);
    if (document === undefined) return refused(404, "ResourceMissingAtURI");
    const members = document["Members"];
    if (/[?&]\$expand=/.test(query) && Array.isArray(members)) {
      document["Members"] = members.map((member) => (isObject(member) && read(text(member, "@odata.id") ?? "")) || member);
    }
    return answer(200, document, { etag: etagOf(document) });
  };

  const patch = ({ headers }: Incoming, body: JsonObject): Outgoing => {
    const match = headers["if-match"];
    if (match !== undefined && match !== "*" && match !== etagOf(read(SYSTEM)!)) return refused(412, "PreconditionFailed");
    const boot = own(body, "Boot");
    if (isObject(boot)) {
      const once = bootOf(boot, machine.bootOnce());
      if (once === "malformed") return refused(400, "PropertyValueNotInList");
      machine.setBootOnce(once);
    }
    const light = own(body, "LocationIndicatorActive");
    if (typeof light === "boolean") machine.setLight(light);
    return answer(204);
  };

  const post = (path: string, body: JsonObject): Outgoing => {
    if (path === RESET) {
      const type = text(body, "ResetType") ?? "";
      if (!Object.hasOwn(RESET_TYPES, type)) return refused(400, "ActionParameterNotSupported");
      machine.command(RESET_TYPES[type as keyof typeof RESET_TYPES]);
      return answer(204);
    }
    if (path !== INSERT && path !== EJECT) return refused(405, "OperationNotAllowed");
    const image = text(body, "Image");
    if (path === INSERT && image === undefined) return refused(400, "ActionParameterMissing");
    machine.setMedia(path === INSERT ? image : undefined);
    return answer(204);
  };

  return async (incoming) => {
    const other = await before?.(incoming);
    if (other !== undefined) return other;
    const [target = "", query = ""] = incoming.target.split(/(?=\?)/, 2);
    const path = target.replace(/\/+$/, "");
    const { method } = incoming;
    if (method === "GET" && OPEN.has(path)) return get(path, query);
    const body = method === "POST" || method === "PATCH" ? await bodyOf(incoming) : {};
    if (body === undefined) return refused(400, "MalformedJSON");
    if (method === "POST" && path === SESSIONS) return login(body);
    if (!isAllowed(incoming)) return refused(401, "NoValidSession");
    if (method === "DELETE" && path.startsWith(`${SESSIONS}/`))
      return sessions.delete(path) ? answer(204) : refused(404, "ResourceMissingAtURI");
    if (method === "GET") return get(path, query);
    if (method === "PATCH" && path === SYSTEM) return patch(incoming, body);
    if (method === "POST") return post(path, body);
    return refused(405, "OperationNotAllowed");
  };
}

async function bodyOf(incoming: Incoming): Promise<JsonObject | undefined> {
  try {
    const body: unknown = JSON.parse((await incoming.body(MOST_BODY)).toString() || "{}");
    return isObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

/** The override with what is changed of it. */
function bootOf(boot: JsonObject, now: BootOnce | undefined): BootOnce | undefined | "malformed" {
  const target = text(boot, "BootSourceOverrideTarget");
  if (boot["BootSourceOverrideEnabled"] === "Disabled" || target === "None") return undefined;
  if (target !== undefined && !Object.hasOwn(TARGETS, target)) return "malformed";
  const device = target === undefined ? now?.device : TARGETS[target as keyof typeof TARGETS];
  if (device === undefined) return undefined;
  const mode = boot["BootSourceOverrideMode"];
  const firmware = mode === undefined ? (now?.firmware ?? "uefi") : mode === "Legacy" ? "bios" : "uefi";
  const url = boot["HttpBootUri"];
  return { device, firmware, ...(typeof url === "string" && url !== "" ? { url } : {}) };
}

/** Of the content alone: what has not changed has not changed. FNV-1a. */
function etagOf(document: JsonObject): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(JSON.stringify(document))) hash = Math.imul(hash ^ byte, 0x01000193);
  return `W/"${(hash >>> 0).toString(16)}"`;
}

function answer(status: number, document?: JsonObject, headers: Readonly<Record<string, string>> = {}): Outgoing {
  const body = document === undefined ? [] : [Buffer.from(JSON.stringify(document))];
  return { status, headers: { "content-type": "application/json", "odata-version": "4.0", ...headers }, body };
}

function refused(status: number, id: string): Outgoing {
  const info = [{ MessageId: `Base.1.18.${id}`, Message: id, Severity: "Critical" }];
  return answer(status, { error: { code: `Base.1.18.${id}`, message: id, "@Message.ExtendedInfo": info } });
}
