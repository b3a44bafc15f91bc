/** What a killed writer had said, held against what the store has kept. */
import assert from "node:assert/strict";
import type { Key, Store, StoreEvent } from "#apiserver/store/store.ts";

export const RESOURCE = "/configmaps";
export const WRITERS = 24;

export interface Step {
  readonly name: string;
  /** Of the write among its writer's; in the object as `data.number`. */
  readonly number: number;
  readonly removes: boolean;
}

export function keyOf(name: string): Key {
  return { resource: RESOURCE, namespace: "default", name };
}

/** A writer's object as far as anyone was told. */
interface Account {
  acknowledged: { step: Step; revision: number } | undefined;
  /** Under way when the process died: done or not. */
  intended: Step | undefined;
}

export class Ledger {
  readonly #accounts = new Map<string, Account>();
  /** What happened at each revision that anyone was told of or saw. */
  readonly #steps = new Map<number, string>();
  /** Newest revision seen in an opened store. */
  #seen = 0;

  /** A line of the writer's. */
  note(line: string): void {
    const [what, step, revision] = JSON.parse(line) as ["intends" | "acknowledged", Step, number];
    const account = this.#account(step.name);
    if (what === "intends") account.intended = step;
    else {
      assert.ok(revision > this.#seen, `revision ${revision} was given out although ${this.#seen} had been seen`);
      this.#remember(revision, step);
      account.acknowledged = { step, revision };
      account.intended = undefined;
    }
  }

  get acknowledged(): number {
    return this.#steps.size;
  }

  /** Checks a store that was opened after the kill, and takes what it holds as known. */
  check(store: Store): void {
    for (const [name, account] of this.#accounts) this.#checkObject(store, name, account);
    this.#checkHistory(store);
    this.#seen = store.revision;
  }

  #checkObject(store: Store, name: string, account: Account): void {
    const entry = store.get(keyOf(name));
    const number = entry === undefined ? undefined : numberOf(entry.object());
    const { acknowledged, intended } = account;
    const isAcknowledged =
      acknowledged === undefined || acknowledged.step.removes ? number === undefined : number === acknowledged.step.number;
    const isIntended = intended !== undefined && (intended.removes ? number === undefined : number === intended.number);
    assert.ok(
      isAcknowledged || isIntended,
      `${name} is at ${number}; acknowledged ${JSON.stringify(acknowledged)}, intended ${JSON.stringify(intended)}`,
    );
    if (acknowledged !== undefined) {
      assert.ok(store.revision >= acknowledged.revision);
      if (entry !== undefined && !isIntended) assert.equal(entry.revision, acknowledged.revision);
      if (entry !== undefined && isIntended) assert.ok(entry.revision > acknowledged.revision);
    }
    // Whatever became of it, that is how it is from now on.
    if (entry !== undefined) account.acknowledged = { step: { name, number: number!, removes: false }, revision: entry.revision };
    else if (isIntended) account.acknowledged = { step: intended, revision: store.revision };
    account.intended = undefined;
  }

  /** The events lead from the oldest state to the newest without a gap, and tell of every revision what was told before. */
  #checkHistory(store: Store): void {
    const state = new Map(
      store.list({ resource: RESOURCE, at: store.compacted }).entries.map((entry) => [entry.name, entry.revision]),
    );
    const told = new Set<number>();
    for (const event of store.since(store.compacted, RESOURCE)) {
      assert.equal(
        event.previous?.revision,
        state.get(event.entry.name),
        `event ${event.revision} does not follow its object's last`,
      );
      if (event.type === "DELETED") state.delete(event.entry.name);
      else state.set(event.entry.name, event.revision);
      told.add(event.revision);
      this.#remember(event.revision, stepOf(event));
    }
    const present = new Map(store.list({ resource: RESOURCE }).entries.map((entry) => [entry.name, entry.revision]));
    assert.deepEqual(state, present);
    for (const revision of this.#steps.keys())
      assert.ok(revision <= store.compacted || told.has(revision), `revision ${revision} is missing in history`);
  }

  #remember(revision: number, { name, number, removes }: Step): void {
    const text = `${name} ${number} ${removes}`;
    assert.equal(this.#steps.get(revision) ?? text, text, `revision ${revision} was used twice`);
    this.#steps.set(revision, text);
  }

  #account(name: string): Account {
    let account = this.#accounts.get(name);
    if (account === undefined) this.#accounts.set(name, (account = { acknowledged: undefined, intended: undefined }));
    return account;
  }
}

function stepOf({ entry, type }: StoreEvent): Step {
  return { name: entry.name, number: numberOf(entry.object()), removes: type === "DELETED" };
}

function numberOf(object: object): number {
  return Number((object as { data: { number: string } }).data.number);
}
