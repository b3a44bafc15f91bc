/** Imported by a process before all else: makes its threads die a moment after they have begun. */
import { isMainThread } from "node:worker_threads";

if (!isMainThread) {
  setTimeout(() => {
    throw new Error("the thread dies of this");
  }, 1000);
}
