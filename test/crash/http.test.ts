/**
 * kill -9 of `bin/sidero up` under load, seen from its clients: `ROUNDS` times (20 unless told), several in a row on each data directory.
 * Writers own their objects, so that what they were told is what must be there; watchers go on from where they were.
 */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { test } from "node:test";
import { SeededEntropy } from "#io/memory/entropy.ts";
import type { Client } from "#kube/client.ts";
import type { KindRef } from "#kube/kind.ts";
import { connect } from "../kube/connect.ts";
import { launch, temporary, untilReady, type Sidero } from "../main/sidero.ts";
import { Chronicle, revisionOf } from "./http-chronicle.ts";
import { Watcher } from "./http-watcher.ts";
import { KINDS, makeNamespace, Writer } from "./http-writer.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 20);
const SEED = Number(process.env["SEED"] ?? 1);
const ROUNDS_PER_DIRECTORY = 10;
const WRITERS_PER_KIND = 4;
const WATCHERS_PER_KIND = 2;
/** Milliseconds until every watcher must have seen what has been acknowledged. */
const CATCH_UP = 30_000;
/** Controllers work from the start, instead of waiting for the lease of those that were killed. */
const FLAGS = { "enable-leader-election": "false" };

/** One data directory and all who know something of it. */
class Installation {
  readonly #data: string;
  readonly #entropy: SeededEntropy;
  readonly chronicle = new Chronicle();
  #watchers: Watcher[] = [];
  #isNew = true;

  constructor(data: string, entropy: SeededEntropy) {
    this.#data = data;
    this.#entropy = entropy;
  }

  /** A start that does not get far. */
  async dieStarting(): Promise<void> {
    const sidero = launch(this.#data, FLAGS);
    await delay(this.#entropy.below(1000));
    await sidero.child.stop("SIGKILL");
  }

  /** Starts, checks what is there, writes, and dies after `writes` acknowledged writes. */
  async live(writes: number): Promise<void> {
    const sidero = launch(this.#data, FLAGS);
    try {
      await untilReady(sidero);
      const { client, close } = await connect(sidero.kubeconfig);
      try {
        await this.#serve(client, sidero, writes);
      } finally {
        await close();
      }
    } finally {
      await sidero.child.stop("SIGKILL");
    }
  }

  async #serve(client: Client, sidero: Sidero, writes: number): Promise<void> {
    if (this.#isNew) {
      await makeNamespace(client);
      for (const kind of KINDS) {
        const list = await client.for(kind).listAll();
        for (let i = 0; i < WATCHERS_PER_KIND; i++) this.#watchers.push(new Watcher(kind, list, this.chronicle));
      }
      this.#isNew = false;
    }
    const following = Promise.all(this.#watchers.map((watcher) => watcher.follow(client)));
    // What goes wrong with a watch must be told at once, not as a watcher that never gets there.
    await Promise.race([this.#examine(client), following.then(() => assert.fail("the server is gone"))]);
    let left = writes;
    const onDone = (): void => {
      if (--left === 0) sidero.child.process.kill("SIGKILL");
    };
    const writing = KINDS.flatMap((kind) =>
      Array.from({ length: WRITERS_PER_KIND }, (_, i) =>
        new Writer(client, kind, `w${i}`, this.chronicle).run(new SeededEntropy(this.#entropy.below(2 ** 31)), onDone),
      ),
    );
    await Promise.all([...writing, following]);
  }

  /** Lists are as acknowledged; watchers see everything there was, all of them the same, and it adds up to the lists. */
  async #examine(client: Client): Promise<void> {
    for (const kind of KINDS) {
      this.chronicle.find(kind, await client.for(kind).listAll());
      const last = await this.#touch(client, kind);
      const watchers = this.#watchers.filter((watcher) => watcher.kind === kind);
      await Promise.all(watchers.map((watcher) => within(CATCH_UP, `revision ${last}`, watcher.reach(last))));
      const list = await client.for(kind).listAll();
      for (const watcher of watchers) {
        watcher.check(list);
        assert.deepEqual(watcher.seen, watchers[0]!.seen);
      }
      const count = 1 + this.#entropy.below(Math.min(watchers[0]!.seen.length, 1000));
      await watchers[0]!.retell(client, count, AbortSignal.timeout(CATCH_UP));
    }
  }

  /** The revision of a write that all must come to see. */
  async #touch(client: Client, kind: KindRef): Promise<number> {
    const writer = new Writer(client, kind, "last", this.chronicle);
    for (;;) {
      const object = await writer.step("last", this.#entropy);
      if (object !== undefined) return revisionOf(object);
    }
  }
}

async function within(milliseconds: number, what: string, promise: Promise<void>): Promise<void> {
  const late = delay(milliseconds, undefined, { ref: false }).then(() => assert.fail(`${what} was not seen in time`));
  await Promise.race([promise, late]);
}

for (let first = 0; first < ROUNDS; first += ROUNDS_PER_DIRECTORY) {
  const seed = SEED + first / ROUNDS_PER_DIRECTORY;
  const rounds = Math.min(ROUNDS_PER_DIRECTORY, ROUNDS - first);
  test(`SEED=${seed}: clients of a server that dies ${rounds} times lose nothing they were told`, async (context) => {
    const entropy = new SeededEntropy(seed);
    const installation = new Installation(await temporary(context), entropy);
    for (let round = 0; round < rounds; round++) {
      if (entropy.chance(0.2)) await installation.dieStarting();
      await installation.live(1 + entropy.below(entropy.chance(0.2) ? 20 : 400));
    }
    // The last death is examined by the start after it.
    await installation.live(1);
    context.diagnostic(`${installation.chronicle.acknowledged} writes acknowledged`);
  });
}
