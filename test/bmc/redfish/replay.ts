/** A Redfish service made of recorded shapes: documents that answer GET and take changes, and the rules by which their vendor refuses some. */
import { readFileSync } from "node:fs";
import type { Handler, Incoming, Outgoing } from "#io/serve.ts";
import { isObject, type JsonObject } from "#std/json.ts";
import { text } from "#wire/redfish/document.ts";

interface Fixture {
  readonly source: readonly string[];
  /** Collection that sessions are created in. */
  readonly sessions: string;
  readonly documents: Readonly<Record<string, JsonObject>>;
}

/** One request, as rules see it. */
export interface Told {
  readonly method: string;
  /** Without query and without a slash at the end. */
  readonly path: string;
  readonly body: JsonObject;
  readonly headers: Incoming["headers"];
}

/** An answer of the vendor's own; undefined: what the standard says. */
export type Rule = (told: Told, replay: Replay) => Outgoing | undefined;

export const USER = "root";
export const PASSWORD = "calvin-0-secret";

export class Replay {
  readonly documents: Map<string, JsonObject>;
  /** What was asked and allowed in: `PATCH /redfish/v1/Systems/1 {"Boot":…}`. */
  readonly log: string[] = [];
  readonly sessions = new Map<string, string>();
  readonly #rule: Rule;
  readonly #login: string;
  #versions = 0;

  constructor(name: string, rule: Rule = () => undefined) {
    const fixture = JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), "utf8")) as Fixture;
    this.documents = new Map(Object.entries(fixture.documents).map(([path, document]) => [bare(path), document]));
    this.#rule = rule;
    this.#login = bare(fixture.sessions);
  }

  at(path: string): JsonObject {
    const document = this.documents.get(bare(path));
    if (document === undefined) throw new Error(`no ${path} in the fixture`);
    return document;
  }

  readonly handler: Handler = async (incoming) => {
    const path = bare(incoming.target.replace(/\?.*$/, ""));
    const sent = (await incoming.body(1 << 20)).toString();
    const body = sent === "" ? {} : (JSON.parse(sent) as JsonObject);
    const told: Told = { method: incoming.method, path, body, headers: incoming.headers };
    if (told.method === "POST" && path === this.#login) return this.#logIn(body);
    if (path !== "/redfish/v1" && !this.#knows(told)) return refused(401, "NoValidSession");
    this.log.push(`${told.method} ${path}${sent === "" ? "" : ` ${sent}`}`);
    return this.#rule(told, this) ?? this.#usual(told);
  };

  #knows({ headers }: Told): boolean {
    const token = headers["x-auth-token"];
    if (token !== undefined) return [...this.sessions.values()].includes(token);
    return headers["authorization"] === `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString("base64")}`;
  }

  #logIn({ UserName: user, Password: password }: JsonObject): Outgoing {
    if (user !== USER || password !== PASSWORD) return refused(401, "NoValidSession");
    const path = `${this.#login}/${this.sessions.size + 1}`;
    this.sessions.set(path, `token-${path}`);
    // iLO gives a whole URL.
    return reply(201, { "@odata.id": path }, { location: `https://bmc.example${path}`, "x-auth-token": `token-${path}` });
  }

  #usual(told: Told): Outgoing {
    const { method, path, body } = told;
    if (method === "DELETE") {
      return this.sessions.delete(path) || this.documents.delete(path) ? reply(204) : refused(404, "ResourceMissingAtURI");
    }
    if (method === "POST") return this.#post(told);
    const document = this.documents.get(path);
    if (document === undefined) return refused(404, "ResourceMissingAtURI");
    if (method === "PATCH") {
      merge(document, body);
      if (document["@odata.etag"] !== undefined) document["@odata.etag"] = `"v${++this.#versions}"`;
      return reply(200, document);
    }
    return reply(200, document);
  }

  #post({ path, body }: Told): Outgoing {
    const owner = this.documents.get(path.replace(/\/Actions\/[^/]+$/, ""));
    if (path.endsWith("/ComputerSystem.Reset") && owner !== undefined) return this.#reset(owner, text(body, "ResetType") ?? "");
    if (path.endsWith("/VirtualMedia.InsertMedia") && owner !== undefined) {
      merge(owner, { Image: body["Image"]!, Inserted: true, ConnectedVia: "URI" });
      return reply(204);
    }
    if (path.endsWith("/VirtualMedia.EjectMedia") && owner !== undefined) {
      merge(owner, { Image: null, Inserted: false, ConnectedVia: "NotConnected" });
      return reply(204);
    }
    if (path.endsWith("/Subscriptions")) {
      this.documents.set(`${path}/7`, body);
      return reply(201, undefined, { location: `${path}/7` });
    }
    return refused(405, "OperationNotAllowed");
  }

  #reset(system: JsonObject, type: string): Outgoing {
    const isOn = system["PowerState"] === "On";
    if (!isOn && type !== "On" && type !== "ForceOn") return refused(400, "InvalidOperationForSystemState");
    if (isOn && type === "On") return refused(400, "InvalidOperationForSystemState");
    if (type === "ForceOff" || type === "GracefulShutdown") system["PowerState"] = "Off";
    if (type === "On" || type === "ForceOn") system["PowerState"] = "On";
    return reply(200, { error: { "@Message.ExtendedInfo": [{ MessageId: "Base.1.4.Success" }] } });
  }
}

/** As RFC 7386 has it, but that null is a value. */
function merge(into: JsonObject, from: JsonObject): void {
  for (const [key, value] of Object.entries(from)) {
    const old = into[key];
    if (isObject(old) && isObject(value)) merge(old, value);
    else into[key] = value;
  }
}

function bare(path: string): string {
  return path.replace(/\/+$/, "");
}

export function reply(status: number, document?: JsonObject, headers: Readonly<Record<string, string>> = {}): Outgoing {
  const body = document === undefined ? [] : [Buffer.from(JSON.stringify(document))];
  const etag = document?.["@odata.etag"];
  return { status, headers: { ...headers, ...(typeof etag === "string" ? { etag } : {}) }, body };
}

export function refused(status: number, id: string, message = id, headers: Readonly<Record<string, string>> = {}): Outgoing {
  const info = [{ MessageId: `Base.1.8.${id}`, Message: message }];
  return reply(status, { error: { code: "Base.1.8.GeneralError", message: "see info", "@Message.ExtendedInfo": info } }, headers);
}
