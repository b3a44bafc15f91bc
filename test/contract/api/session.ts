/** One case on one server: sends its steps and writes down what came back. */
import { setTimeout as delay } from "node:timers/promises";
import { parse } from "yaml";
import { at, isRefusal, isWatch } from "./case.ts";
import type { Case, Step, WatchStep } from "./case.ts";
import type { Answer, Http } from "./http.ts";
import { Normalizer } from "./normalize.ts";

export interface Exchange {
  readonly call: string;
  readonly status: number;
  readonly type?: string;
  readonly warnings?: readonly string[];
  readonly body?: unknown;
}

const PATIENCE = 10_000;

function decode(answer: Answer): unknown {
  const type = String(answer.headers["content-type"] ?? "");
  const text = answer.body.toString("utf8");
  if (text === "") return undefined;
  if (type.includes("yaml")) return parse(text) as unknown;
  if (!type.includes("json")) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A connection that ends without an answer is a result like any other: status 0 and the reason. */
function noAnswer(error: unknown): Answer {
  const { code, name } = error as { code?: string; name?: string };
  return { status: 0, headers: { "content-type": "none" }, body: Buffer.from(code ?? name ?? String(error)) };
}

/** An event of a watch; undefined when the line is none, as when the answer is a refusal (perhaps an indented one) or an object. */
function parseEvent(line: string): { type: string } | undefined {
  if (!line.startsWith('{"')) return undefined;
  const event = JSON.parse(line) as { type?: string; object?: unknown };
  return event.type === undefined || event.object === undefined ? undefined : { ...event, type: event.type };
}

export class Session {
  readonly #http: Http;
  readonly #variables: Record<string, string>;
  readonly #normalizer = new Normalizer();

  constructor(http: Http, namespace: string) {
    this.#http = http;
    this.#variables = { ns: namespace };
  }

  /** Makes the case's namespace, then runs it. */
  async begin(subject: Case): Promise<Exchange[]> {
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: "$ns" } };
    const made = await this.run({ name: "namespace", steps: [{ call: "POST /api/v1/namespaces", body, quiet: true }] });
    return [...made, ...(await this.run(subject))];
  }

  async run({ steps }: Case): Promise<Exchange[]> {
    const records: Exchange[] = [];
    for (const step of steps) records.push(...(isWatch(step) ? await this.#watch(step) : [await this.#step(step)]));
    return records;
  }

  #fill<T>(value: T): T {
    if (typeof value === "string") return value.replaceAll(/\$(\w+)/g, (all, name: string) => this.#variables[name] ?? all) as T;
    if (value instanceof Uint8Array) return value;
    if (Array.isArray(value)) return value.map((item) => this.#fill(item) as unknown) as T;
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#fill(item)])) as T;
  }

  async #send(step: Step): Promise<Answer> {
    const [method, path] = this.#fill(step.call).split(/ (.*)/s) as [string, string];
    const body = this.#fill(step.body);
    const headers: Record<string, string> = { accept: step.accept ?? "application/json", ...this.#fill(step.headers ?? {}) };
    const signal = AbortSignal.timeout(PATIENCE);
    if (body === undefined) return this.#http.send({ method, path, headers }, undefined, signal);
    headers["content-type"] = step.type ?? "application/json";
    const bytes = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    headers["content-length"] = String(Buffer.byteLength(bytes));
    return this.#http.send({ method, path, headers, body: bytes }, undefined, signal);
  }

  async #step(step: Step): Promise<Exchange> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const answer = await this.#send(step).catch(noAnswer);
      const body = decode(answer);
      const retry = answer.status === 429 || (step.until !== undefined && !step.until(answer.status, body));
      if (!retry || performance.now() > deadline) return this.#record(step, answer, body);
      await delay(25);
    }
  }

  #record(step: Step, answer: Answer, body: unknown): Exchange {
    for (const [name, path] of Object.entries(step.save ?? {})) this.#variables[name] = String(at(body, path));
    if (step.quiet === true && !isRefusal(answer.status)) return { call: step.call, status: 0 };
    const warning = answer.headers["warning"];
    const warnings = warning === undefined ? [] : [warning].flat();
    return {
      call: step.call,
      status: answer.status,
      type: String(answer.headers["content-type"]),
      ...(warnings.length === 0 ? {} : { warnings: warnings.map((text) => this.#normalizer.text(text)) }),
      body: this.#view(step, answer, body),
    };
  }

  #view(step: Step, answer: Answer, body: unknown): unknown {
    if (step.view !== undefined) return this.#normalizer.value(step.view(body, answer));
    const value = this.#normalizer.value(body);
    if (step.only === undefined || isRefusal(answer.status)) return value;
    return Object.fromEntries(step.only.map((path) => [path, at(value, path) ?? null]));
  }

  async #watch(step: WatchStep): Promise<Exchange[]> {
    const events: unknown[] = [];
    let rest = "";
    const stop = new AbortController();
    const opened = Promise.withResolvers<void>();
    const onChunk = (chunk: Buffer): boolean => {
      const lines = (rest + chunk.toString("utf8")).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const event = parseEvent(line);
        if (event !== undefined && (step.bookmarks === true || event.type !== "BOOKMARK")) events.push(event);
      }
      return events.length < step.count;
    };
    const path = this.#fill(step.watch);
    const headers = { accept: step.accept ?? "application/json" };
    const timer = setTimeout(() => stop.abort(), PATIENCE);
    const watching = this.#http.send({ method: "GET", path, headers }, onChunk, stop.signal, opened.resolve);
    await Promise.race([opened.promise, watching.catch(() => undefined)]);
    const records: Exchange[] = [];
    for (const inner of step.during ?? []) records.push(await this.#step(inner));
    const answer = await watching.catch(() => undefined);
    clearTimeout(timer);
    const body = events.length > 0 || answer === undefined ? events : decode(answer);
    return [...records, { call: `WATCH ${step.watch}`, status: answer?.status ?? 0, body: this.#normalizer.value(body) }];
  }
}
