/** Answers that fit in memory. */
import type { Outgoing } from "#io/serve.ts";

/** Content-Length is the listener's; firmware is not held up by a body in chunks. */
export function text(status: number, body: string, headers: Outgoing["headers"] = {}): Outgoing {
  return { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers }, body: [Buffer.from(body)] };
}

/** A script, which nobody may keep: the next one may say something else. */
export function script(body: string): Outgoing {
  return text(200, body, { "cache-control": "no-store" });
}
