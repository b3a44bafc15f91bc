/** `events.EventSinkService`: what Talos says of itself, by the tunnel alone, so that its address says who it is (facts §8.3). */
import type { Inventory } from "#decide/boot/asker.ts";
import { applyEvent } from "#decide/link/effect.ts";
import type { LinkEvent } from "#decide/link/event.ts";
import type { Network } from "#decide/link/filter.ts";
import { isNew, type Seen } from "#decide/link/order.ts";
import { storyOf } from "#decide/link/story.ts";
import type { Witness } from "#decide/sighting.ts";
import { type Clock, timestamp } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { Handler, Incoming } from "#io/serve.ts";
import type { EventRequest } from "#proto/siderolink/events_pb.js";
import { EventRequestSchema, EventResponseSchema } from "#proto/siderolink/events_pb.js";
import type { Found, Peers } from "./peers.ts";
import type { LinkPort } from "./port.ts";
import { readEvent } from "./read-event.ts";
import { rpcFault, unary, unimplemented } from "./unary.ts";

export const PUBLISH = "/events.EventSinkService/Publish";

/** Machines of which the last event is remembered; of others it is acted on twice, which does nothing. */
const MOST_SEEN = 50_000;
/** Events of one machine that are under way at once. */
const MOST_WAITING = 64;

export interface SinkOptions {
  readonly port: LinkPort;
  readonly inventory: Pick<Inventory, "server">;
  readonly peers: Pick<Peers, "at">;
  readonly negative: readonly Network[];
  readonly clock: Clock;
  readonly log: Log;
  readonly witness: Witness;
}

export function createSink(options: SinkOptions): Handler {
  const { port, inventory, peers, clock, log, witness } = options;
  const seen = new Map<string, Seen>();
  /** Of each machine the event that is being put on record: they come in order, and stay in order. */
  const busy = new Map<string, { last: Promise<void>; waiting: number }>();

  async function publish({ id, data }: EventRequest, { peer }: Incoming): Promise<void> {
    const found = peers.at(peer.address);
    if (found === undefined) throw rpcFault("permission_denied", "nobody has this address in the tunnel");
    const queue = busy.get(found.name) ?? { last: Promise.resolve(), waiting: 0 };
    // Talos sends the next when the last is answered.
    if (queue.waiting >= MOST_WAITING) throw rpcFault("resource_exhausted", "this machine has too many events under way");
    queue.waiting++;
    busy.set(found.name, queue);
    const after = queue.last
      .catch(() => {})
      .then(() => take(found, id, readEvent(data ?? { typeUrl: "", value: new Uint8Array() }), peer.address));
    queue.last = after;
    try {
      await after;
    } finally {
      if (--queue.waiting === 0) busy.delete(found.name);
    }
  }

  /** Answered when it is on record: what was not is sent again. */
  async function take({ name, isGuest, publicKey }: Found, id: string, event: LinkEvent, address: string): Promise<void> {
    const now = { session: publicKey, id };
    if (!isNew(seen.get(name), now)) return;
    const tunnel = address;
    if (!isGuest)
      await port.report(name, (before) =>
        applyEvent(before, event, { tunnel, negative: options.negative, now: timestamp(clock) }),
      );
    seen.delete(name);
    seen.set(name, now);
    if (seen.size > MOST_SEEN) seen.delete(seen.keys().next().value!);
    const story = storyOf(event);
    if (story === undefined) return;
    witness({ of: isGuest ? { uuid: name } : { server: name }, at: clock.now(), what: "talos.event", text: story.line });
    const server = inventory.server(name);
    if (story.event !== undefined && server !== undefined) port.event(server, story.event.type, story.event.reason, story.line);
  }

  const handler = unary(
    {
      input: EventRequestSchema,
      output: EventResponseSchema,
      run: async (request, incoming) => {
        await publish(request, incoming);
        return {};
      },
    },
    (fault, { peer }) => log.warn("an event was not taken", { address: peer.address, because: fault }),
  );
  return (incoming) => (incoming.target === PUBLISH ? handler(incoming) : Promise.resolve(unimplemented()));
}
