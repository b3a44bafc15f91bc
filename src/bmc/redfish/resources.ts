/** Reading and changing resources: signed, repeated where that is right, by version where the service has versions. */
import { type Clock, sleep } from "#io/clock.ts";
import { Fault } from "#std/fault.ts";
import { readCollection } from "#wire/redfish/controller.ts";
import { type Document, etagOf, pathOf } from "#wire/redfish/document.ts";
import { readTask } from "#wire/redfish/task.ts";
import type { Answer, Asked, Exchange } from "./exchange.ts";
import { bmcFault } from "../fault.ts";
import { refusalOf } from "./fault.ts";
import type { Session } from "./session.ts";

/** A resource and the version it was read in. */
export interface Read {
  readonly document: Document;
  readonly etag: string | undefined;
}

const ATTEMPTS = 3;
/** Milliseconds between attempts where the service does not say, and the most it may say. */
const PAUSE = 1000;
const MOST_PAUSE = 30_000;
/** Milliseconds that an operation in the background may take, and between two looks. */
const TASK_TIME = 300_000;
const TASK_PAUSE = 2000;
/** Members of a collection that are read one by one, and pages. */
const MOST_MEMBERS = 64;
const MOST_PAGES = 8;

export class Resources {
  readonly #exchange: Exchange;
  readonly #session: Session;
  readonly #clock: Clock;
  /** `$expand` works; found out with the root, and given up when it does not. */
  canExpand = false;

  constructor(exchange: Exchange, session: Session, clock: Clock) {
    this.#exchange = exchange;
    this.#session = session;
    this.#clock = clock;
  }

  async get(path: string, signal: AbortSignal): Promise<Read> {
    const answer = succeeded(`GET ${path}`, await this.#send({ method: "GET", path }, signal));
    if (answer.document === undefined) throw bmcFault("malformed", `GET ${path}: an empty answer`);
    return { document: answer.document, etag: answer.headers["etag"] ?? etagOf(answer.document) };
  }

  /** Anybody may read it. */
  async getRoot(path: string, signal: AbortSignal): Promise<Document> {
    const answer = await this.#patiently({ method: "GET", path }, signal, async () => ({}));
    const { document } = succeeded(`GET ${path}`, answer);
    if (document === undefined) throw bmcFault("malformed", `GET ${path}: an empty answer`);
    return document;
  }

  /**
   * Changes what `read` was read from. Services disagree on versions: most want the one they gave, some only without the mark of a weak one, some
   * none at all; and in between somebody else may have written (412).
   */
  async patch(path: string, body: Document, signal: AbortSignal, read?: Read): Promise<void> {
    const asked = `PATCH ${path}`;
    const send = (etag: string | undefined): Promise<Answer> =>
      this.#send({ method: "PATCH", path, body, ...(etag === undefined ? {} : { headers: { "if-match": etag } }) }, signal);
    let answer = await send(read?.etag);
    if (answer.status === 412 || answer.status === 428) {
      const { etag } = await this.get(path, signal);
      const ways = new Set([etag, etag?.replace(/^W\//, ""), etag === undefined ? "*" : undefined]);
      for (const way of ways) {
        answer = await send(way);
        if (answer.status !== 412 && answer.status !== 428) break;
      }
    }
    await this.#finish(asked, succeeded(asked, answer), signal);
  }

  /** An action or a new resource; resolves when it has been carried out, also in the background. Returns the path of what was created. */
  async post(path: string, body: Document, signal: AbortSignal): Promise<string | undefined> {
    const asked = `POST ${path}`;
    const answer = succeeded(asked, await this.#send({ method: "POST", path, body }, signal));
    await this.#finish(asked, answer, signal);
    return pathOf(answer.headers["location"]) ?? (answer.document && pathOf(answer.document["@odata.id"]));
  }

  /** What is gone already counts as deleted. */
  async delete(path: string, signal: AbortSignal): Promise<void> {
    const answer = await this.#send({ method: "DELETE", path }, signal);
    if (answer.status !== 404 && answer.status !== 410) succeeded(`DELETE ${path}`, answer);
  }

  /** Paths of the members of a collection, without reading them. */
  async membersOf(path: string, signal: AbortSignal): Promise<string[]> {
    const members: string[] = [];
    let next: string | undefined = path;
    for (let page = 0; next !== undefined && page < MOST_PAGES; page++) {
      const collection = readCollection((await this.get(next, signal)).document);
      members.push(...collection.members);
      next = collection.next;
    }
    return members;
  }

  /** The members themselves, at once where the service can; those that cannot be read are left out. */
  async readAll(path: string, signal: AbortSignal): Promise<{ readonly path: string; readonly document: Document }[]> {
    if (this.canExpand) {
      const all = await this.#expanded(path, signal);
      if (all !== undefined) return all;
    }
    const found: { path: string; document: Document }[] = [];
    for (const member of (await this.membersOf(path, signal)).slice(0, MOST_MEMBERS)) {
      try {
        found.push({ path: member, document: (await this.get(member, signal)).document });
      } catch (error) {
        if (!Fault.is(error, "bmc.refused") && !Fault.is(error, "bmc.malformed")) throw error;
      }
    }
    return found;
  }

  async #expanded(path: string, signal: AbortSignal): Promise<{ path: string; document: Document }[] | undefined> {
    try {
      const { document } = await this.get(`${path}?$expand=.($levels=1)`, signal);
      const { documents, members, next } = readCollection(document);
      if (next !== undefined || documents.length !== members.length) return undefined;
      return documents.map((one, i) => ({ path: members[i]!, document: one }));
    } catch (error) {
      signal.throwIfAborted();
      if (!Fault.is(error) || error.code === "bmc.unreachable" || error.code === "bmc.denied") throw error;
      // Said to work, and does not.
      this.canExpand = false;
      return undefined;
    }
  }

  /** Signed; with a new session when the old one has run out. */
  async #send(asked: Asked, signal: AbortSignal): Promise<Answer> {
    const sign = (): Promise<Record<string, string>> => this.#session.headers(signal);
    const answer = await this.#patiently(asked, signal, sign);
    if (answer.status !== 401 || !this.#session.expire()) return answer;
    return this.#patiently(asked, signal, sign);
  }

  /** Repeats what a service was too busy for (503), and reading that it failed at. A command that failed half-way is not repeated. */
  async #patiently(asked: Asked, signal: AbortSignal, sign: () => Promise<Record<string, string>>): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#exchange({ ...asked, headers: { ...asked.headers, ...(await sign()) } }, signal);
      const isReading = asked.method === "GET" || asked.method === "PATCH";
      const isBusy =
        answer.status === 503 || answer.status === 429 || (answer.status >= 500 && answer.status !== 501 && isReading);
      if (!isBusy || attempt === ATTEMPTS) return answer;
      await sleep(this.#clock, pauseOf(answer, attempt), signal);
    }
  }

  /** Waits for what a 202 has begun. */
  async #finish(asked: string, answer: Answer, signal: AbortSignal): Promise<void> {
    if (answer.status !== 202) return;
    let path = pathOf(answer.headers["location"]) ?? (answer.document && readTask(answer.document)?.path);
    if (path === undefined) return;
    const until = this.#clock.monotonic() + TASK_TIME;
    let last: Answer = answer;
    while (this.#clock.monotonic() < until) {
      await sleep(this.#clock, pauseOf(last, 1, TASK_PAUSE), signal);
      last = await this.#send({ method: "GET", path }, signal);
      // A monitor may be gone with its task (DSP0266 §12.2).
      if (last.status === 404 || last.status === 410) return;
      succeeded(asked, last);
      const task = last.document && readTask(last.document);
      if (task?.state === "failed") {
        throw bmcFault("refused", `${asked}: its task ended as ${task.name}: ${task.messages.text}`);
      }
      if (last.status !== 202 && task?.state !== "running") return;
      path = pathOf(last.headers["location"]) ?? path;
    }
    throw bmcFault("not-verified", `${asked}: its task still runs after ${TASK_TIME / 1000} s`);
  }
}

function succeeded(asked: string, answer: Answer): Answer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw refusalOf(asked, answer);
}

/** Milliseconds: what Retry-After says in seconds, within reason; else longer with each attempt. */
function pauseOf({ headers }: Answer, attempt: number, usual = PAUSE): number {
  const seconds = Number(headers["retry-after"] ?? "");
  return seconds > 0 ? Math.min(seconds * 1000, MOST_PAUSE) : usual * attempt;
}
