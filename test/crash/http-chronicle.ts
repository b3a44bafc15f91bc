/** What clients of a server were told, by whatever way, and what may be found after it has died. */
import assert from "node:assert/strict";
import { keyOf, kindName, type KindRef } from "#kube/kind.ts";
import type { KubeList, KubeObject } from "#schema/meta.ts";

const NUMBER = "test.sidero.dev/number";

/** A write: `number` is of the state it makes and never used twice; 0 for a removal. */
export interface Step {
  readonly kind: KindRef;
  readonly key: string;
  readonly number: number;
}

/** Marks the state that a write makes. */
export function numbered(number: number): Record<string, string> {
  return { [NUMBER]: String(number) };
}

function numberOf({ metadata }: KubeObject): number {
  return Number(metadata.annotations?.[NUMBER]);
}

export function revisionOf({ metadata }: { metadata: { resourceVersion?: string } }): number {
  return Number(metadata.resourceVersion);
}

/** One object, as far as its only writer knows. */
interface Account {
  readonly kind: KindRef;
  readonly key: string;
  /** Undefined: it is not there. */
  held: KubeObject | undefined;
  /** Under way when the server died: done or not. */
  intended: Step | undefined;
}

export class Chronicle {
  readonly #accounts = new Map<string, Account>();
  /** What happened at each revision that anyone was told of. */
  readonly #told = new Map<number, string>();
  /** Newest revision that anyone was told of. */
  #newest = 0;
  /** The same when the server was found after its last start: whatever happens now is later. */
  #found = 0;
  #number = 0;
  acknowledged = 0;

  /** The newest state that its writer knows. */
  held<T extends KubeObject>(kind: KindRef<T>, key: string): T | undefined {
    return this.#account(kind, key).held as T | undefined;
  }

  intend(kind: KindRef, key: string, removes: boolean): Step {
    const step = { kind, key, number: removes ? 0 : ++this.#number };
    this.#account(kind, key).intended = step;
    return step;
  }

  /** `object`: the server's answer; undefined when it has removed the object. */
  acknowledge({ kind, key, number }: Step, object: KubeObject | undefined): void {
    if (object !== undefined) {
      assert.equal(numberOf(object), number);
      assert.ok(
        revisionOf(object) > this.#found,
        `${key} was written at ${revisionOf(object)} although ${this.#found} was known`,
      );
      this.tell(kind, object, false);
    }
    const account = this.#account(kind, key);
    account.held = object;
    account.intended = undefined;
    this.acknowledged++;
  }

  /** Somebody was told that an object is like this, or has been removed, since its revision. */
  tell(kind: KindRef, object: KubeObject, removed: boolean): void {
    const revision = revisionOf(object);
    const text = `${kindName(kind)} ${keyOf(object)} ${removed ? "removed" : numberOf(object)}`;
    assert.equal(this.#told.get(revision) ?? text, text, `revision ${revision} was used twice`);
    this.#told.set(revision, text);
    this.#newest = Math.max(this.#newest, revision);
  }

  /** Checks what a server holds that has just been started again, and takes it as known. */
  find(kind: KindRef, list: KubeList<KubeObject>): void {
    const revision = revisionOf(list);
    const present = new Map(list.items.map((item) => [keyOf(item), item]));
    assert.ok(revision >= this.#newest, `the list is of ${revision} although ${this.#newest} was known`);
    for (const [key, item] of present) {
      assert.ok(revisionOf(item) <= revision);
      assert.ok(this.#accounts.has(nameOf(kind, key)), `nobody has ever written ${key}`);
      this.tell(kind, item, false);
    }
    for (const account of this.#accounts.values()) if (account.kind === kind) settle(account, present.get(account.key));
    this.#found = Math.max(this.#found, revision);
  }

  #account(kind: KindRef, key: string): Account {
    const name = nameOf(kind, key);
    let account = this.#accounts.get(name);
    if (account === undefined) this.#accounts.set(name, (account = { kind, key, held: undefined, intended: undefined }));
    return account;
  }
}

function nameOf(kind: KindRef, key: string): string {
  return `${kindName(kind)} ${key}`;
}

/** An object is as it was acknowledged, to the revision, or as the write makes it that was under way. */
function settle(account: Account, found: KubeObject | undefined): void {
  const { key, held, intended } = account;
  const number = found === undefined ? 0 : numberOf(found);
  if (number === intended?.number) assert.ok(found === undefined || held === undefined || revisionOf(found) > revisionOf(held));
  else {
    const expected = { number: held === undefined ? 0 : numberOf(held), revision: held && revisionOf(held) };
    const actual = { number, revision: found && revisionOf(found) };
    assert.deepEqual(actual, expected, `${key} is not as acknowledged; under way was ${JSON.stringify(intended?.number)}`);
  }
  account.held = found;
  account.intended = undefined;
}
