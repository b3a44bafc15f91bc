/** So many at a time: they share a commit of the journal, and computing them takes the event loop for a few milliseconds only. */
const BATCH = 64;

/** Acts on all items, a batch after the other; rejects with the first fault when its batch is done, and leaves the rest. */
export async function inBatches<T>(items: readonly T[], act: (item: T) => Promise<void> | undefined): Promise<void> {
  for (let start = 0; start < items.length; start += BATCH) {
    await Promise.all(items.slice(start, start + BATCH).map(async (item) => act(item)));
  }
}
