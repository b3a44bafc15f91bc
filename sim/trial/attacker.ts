/** Somebody in the machines' network who knows every UUID, has a machine of their own, and wants the configurations of others. */
import type { SeededEntropy } from "#io/memory/entropy.ts";
import type { Hall } from "../hall.ts";

const ADDRESS = "10.77.255.7";
const SIDERO = "10.77.0.1:8081";

export class Attacker {
  readonly #hall: Hall;
  readonly #entropy: SeededEntropy;
  /** What has been got, which must stay nothing: the status of every answer. */
  readonly statuses = new Map<number, number>();
  /** Configurations that were sent. */
  taken = 0;

  constructor(hall: Hall, entropy: SeededEntropy) {
    this.#hall = hall;
    this.#entropy = entropy;
  }

  /** Asks as some machine: for its configuration, or for its script, which has a token in it when it is the machine that asks. */
  strike(): void {
    const { machines } = this.#hall;
    const { uuid, mac } = machines[this.#entropy.below(machines.length)]!.identity;
    const token = Buffer.from(this.#entropy.bytes(24)).toString("base64url");
    const targets = [
      `/configdata?uuid=${uuid}`,
      `/configdata?uuid=${uuid}&token=${token}`,
      `/configdata?uuid=${uuid}&mac=${mac}`,
    ];
    void this.#ask(targets[this.#entropy.below(targets.length)]!).catch(() => undefined);
  }

  async #ask(target: string): Promise<void> {
    const { status, body } = await this.#hall.web.request(ADDRESS, SIDERO, { method: "GET", target });
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    const pieces: Uint8Array[] = [];
    for await (const piece of body) pieces.push(piece);
    if (status !== 200 && !/^(?:machine|cluster):/m.test(Buffer.concat(pieces).toString())) return;
    this.taken++;
    this.#hall.story.tell("attacker", `has the configuration of ${target}`);
  }
}
