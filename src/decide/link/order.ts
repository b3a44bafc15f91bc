/**
 * Which events have been seen. Talos sends at least once, in order, and goes on from the last event that was answered. Its ids are xids:
 * twenty characters of base32hex for four bytes of time, five of the process, three of a counter. The counter is what orders them: the
 * time steps back when a machine with a wrong clock finds a time server, and would have everything after that thrown away.
 */

/** The last event of one machine that was acted on. */
export interface Seen {
  /** Public key of the tunnel it came through: another one is another boot. */
  readonly session: string;
  readonly id: string;
}

const ALPHABET = "0123456789abcdefghijklmnopqrstuv";
const COUNTER = 2 ** 24;

/** Whether an event is to be acted on. Ids that are no xids are new unless they are the last one. */
export function isNew(seen: Seen | undefined, event: Seen): boolean {
  if (seen === undefined || seen.session !== event.session) return true;
  const [last, next] = [readXid(seen.id), readXid(event.id)];
  if (last === undefined || next === undefined || last.process !== next.process) return seen.id !== event.id;
  // It starts anywhere and wraps.
  const ahead = (next.counter - last.counter + COUNTER) % COUNTER;
  return ahead > 0 && ahead < COUNTER / 2;
}

function readXid(id: string): { readonly process: bigint; readonly counter: number } | undefined {
  if (!/^[0-9a-v]{20}$/.test(id)) return undefined;
  // 100 bits, of which the last four are none.
  const bits = [...id].reduce((sum, character) => (sum << 5n) | BigInt(ALPHABET.indexOf(character)), 0n) >> 4n;
  return { process: (bits >> 24n) & 0xff_ffff_ffffn, counter: Number(bits & 0xff_ffffn) };
}
