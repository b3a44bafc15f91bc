import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isNew } from "./order.ts";

const ALPHABET = "0123456789abcdefghijklmnopqrstuv";

/** As rs/xid writes it: twelve bytes, five bits a character, four bits of nothing at the end. */
function xid(time: number, process: number, counter: number): string {
  const bits = (value: number, width: number): string => value.toString(2).padStart(width, "0");
  const all = `${bits(time, 32)}${bits(process, 40)}${bits(counter, 24)}0000`;
  return all.replaceAll(/.{5}/g, (five) => ALPHABET[Number.parseInt(five, 2)]!);
}

const at = (id: string, session = "s"): { session: string; id: string } => ({ session, id });

test("the example of the xid project is read as its documentation says", () => {
  // 9m4e2mr0ui3e8a215n4g: time 1300816219, machine 60f486, process e428, counter 4271561.
  assert.equal(xid(1300816219, 0x60f486e428, 4271561), "9m4e2mr0ui3e8a215n4g");
});

test("what comes after is new, what came before is not", () => {
  fc.assert(
    fc.property(
      fc.nat(0xffff_ffff),
      fc.nat(0xffff_ffff),
      fc.nat(0xffffff),
      fc.integer({ min: 1, max: 2 ** 23 - 1 }),
      (then, now, counter, ahead) => {
        // The clock may have been set in between, and the counter may have wrapped.
        const [first, second] = [at(xid(then, 7, counter)), at(xid(now, 7, (counter + ahead) % 2 ** 24))];
        assert.equal(isNew(first, second), true);
        assert.equal(isNew(second, first), false);
        assert.equal(isNew(first, at(first.id)), false);
      },
    ),
  );
});

test("another boot begins anew", () => {
  assert.equal(isNew(undefined, at(xid(1, 1, 1))), true);
  assert.equal(isNew(at(xid(9, 1, 9)), at(xid(1, 1, 1), "another key")), true);
  assert.equal(isNew(at(xid(9, 1, 9)), at(xid(1, 2, 1))), true);
});

test("ids of another form are known again, no more", () => {
  assert.equal(isNew(at("b"), at("b")), false);
  assert.equal(isNew(at("b"), at("a")), true);
  assert.equal(isNew(at(xid(9, 1, 9)), at("")), true);
});
