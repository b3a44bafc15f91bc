/** How far an operation is that goes on in the background (DSP0266 §12.2, DSP0268 Task). */
import { type Document, items, number, pathOf, text } from "./document.ts";
import { type Messages, readMessages } from "./message.ts";

export interface Task {
  readonly state: "running" | "done" | "failed";
  /** As the service calls it. */
  readonly name: string;
  readonly percent?: number | undefined;
  /** Where to ask next; undefined: where it was asked. */
  readonly path?: string | undefined;
  readonly messages: Messages;
}

const FAILED = new Set(["Exception", "Killed", "Cancelled", "Interrupted"]);

/** Undefined: the resource is no task, so that the operation it answers for has ended. */
export function readTask(document: Document): Task | undefined {
  const name = text(document, "TaskState");
  if (name === undefined) return undefined;
  const isBad = FAILED.has(name) || (name === "Completed" && text(document, "TaskStatus") === "Critical");
  const own = items(document, "Messages");
  return {
    name,
    state: isBad ? "failed" : name === "Completed" ? "done" : "running",
    percent: number(document, "PercentComplete"),
    path: pathOf(document["@odata.id"]),
    messages: readMessages(own.length > 0 ? { "@Message.ExtendedInfo": own } : document),
  };
}
