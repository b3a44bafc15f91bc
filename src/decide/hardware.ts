/** Whether a machine has what a qualifier asks for. */
import { isObject } from "#std/json.ts";

/**
 * True when every value that `asked` names is found in `actual`. Empty values ("", 0, false, absent) ask for nothing. Each item
 * of a list must be found in an item of its own: two equal processors ask for two such processors, in whatever sockets
 * (upstream compared by position, so that the order in which disks were reported decided).
 */
export function satisfies(actual: unknown, asked: unknown): boolean {
  if (asked === undefined || asked === null || asked === "" || asked === 0 || asked === false) return true;
  if (Array.isArray(asked)) return Array.isArray(actual) ? haveEach(actual, asked) : asked.length === 0;
  if (isObject(asked)) {
    const fields = isObject(actual) ? actual : {};
    return Object.keys(asked).every((field) => satisfies(Object.hasOwn(fields, field) ? fields[field] : undefined, asked[field]));
  }
  return actual === asked;
}

/** Gives each asked item one of `actual` of its own, moving earlier ones elsewhere where that helps (Kuhn's matching). */
function haveEach(actual: readonly unknown[], asked: readonly unknown[]): boolean {
  if (asked.length > actual.length) return false;
  const candidates = asked.map((item) => [...actual.keys()].filter((i) => satisfies(actual[i], item)));
  const takenBy = new Map<number, number>();
  const place = (item: number, tried: Set<number>): boolean =>
    candidates[item]!.some((i) => {
      if (tried.has(i)) return false;
      tried.add(i);
      const other = takenBy.get(i);
      if (other !== undefined && !place(other, tried)) return false;
      takenBy.set(i, item);
      return true;
    });
  return candidates.every((_, item) => place(item, new Set()));
}
