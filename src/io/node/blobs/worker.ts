/** The blob store's thread: hashes, writes drafts and reads pieces, so that the event loop does not. */
import { parentPort } from "node:worker_threads";
import { Fault } from "#std/fault.ts";
import { plainFault } from "../journal-message.ts";
import { inspect, readPiece } from "./content.ts";
import { copy, Draft } from "./draft.ts";
import { diskFault } from "./fault.ts";
import type { Answer, Answers, Request } from "./message.ts";

const port = parentPort!;
const drafts = new Map<number, Draft>();
let lastDraft = 0;

port.on("message", ({ id, request }: { id: number; request: Request }) => void answer(id, request));

async function answer(id: number, request: Request): Promise<void> {
  try {
    const value = await handle(request);
    port.postMessage({ id, value } satisfies Answer, value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : []);
  } catch (error) {
    port.postMessage({ id, fault: plainFault(diskFault(error)) } satisfies Answer);
  }
}

async function handle(request: Request): Promise<Answers[keyof Answers]> {
  switch (request.do) {
    case "open": {
      const draft = await Draft.open(request.place);
      drafts.set(++lastDraft, draft);
      return { draft: lastDraft, length: draft.length, note: draft.note };
    }
    case "write":
      return opened(request.draft).write(request.bytes);
    case "restart":
      return opened(request.draft).restart(request.note);
    case "commit":
      return taken(request.draft).commit(request.expected, request.directory);
    case "close":
      return taken(request.draft).close();
    case "copy":
      return copy(request.path, request.place, request.expected, request.directory);
    case "inspect":
      return inspect(request.path, request.unhurried);
    case "piece":
      return readPiece(request.path, request.index, request.length, request.digest);
  }
}

function opened(id: number): Draft {
  const draft = drafts.get(id);
  if (draft === undefined) throw new Fault("io.closed", "the draft is closed", { fault: "ours", retry: "never" });
  return draft;
}

/** For its last call, whatever comes of it. */
function taken(id: number): Draft {
  const draft = opened(id);
  drafts.delete(id);
  return draft;
}
