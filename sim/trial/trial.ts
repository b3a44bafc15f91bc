/**
 * One trial by ordeal: a hall of machines under people and mischief for some hours, watched all the time; then calm, in which everything has to come to
 * where it belongs. All of it follows from the seed.
 */
import type { StoreEvent } from "#apiserver/store/store.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { Board } from "../bmc/board.ts";
import { plugIn } from "../bmc/attach.ts";
import { Hall } from "../hall.ts";
import type { Model } from "../machine/model.ts";
import type { Story } from "../story.ts";
import { noTrouble, troubled } from "./api-faults.ts";
import type { ApiTrouble } from "./api-faults.ts";
import { Ledger } from "./ledger.ts";
import { Mischief } from "./mischief.ts";
import { People } from "./people.ts";
import { restless } from "./rest.ts";
import { SECRET, Watch } from "./watch.ts";

export interface TrialOptions {
  readonly seed: number;
  readonly machines: number;
  /** Kinds of machines; those of any hall if absent. */
  readonly models?: readonly Model[];
  /** Sees every event of the store, when the ledger has. */
  readonly onEvent?: (event: StoreEvent) => void;
  /** Hours of trouble: 2 if absent. */
  readonly hours?: number;
  /** Settings of Sidero beside those of any hall. */
  readonly flags?: Readonly<Record<string, string>>;
}

export interface Verdict {
  readonly seed: number;
  /** What must never be. */
  readonly violations: readonly string[];
  /** Who has not come to rest, and how it stands. */
  readonly restless: readonly string[];
  readonly story: Story;
  /** Hours of simulated time. */
  readonly hours: number;
  /** Servers as they were at last. */
  readonly servers: ReadonlyMap<string, Server>;
}

const MINUTE = 60_000;
const HOUR = 3_600_000;
/** Milliseconds between two deeds of people, and between two strikes of mischief, on average and for twenty machines. */
const PACE = { people: 20_000, mischief: 60_000 } as const;
/** Hours in which everything has to come to rest. */
const CALM = 6;

/** What a trial is made of. */
export interface Trial {
  readonly hall: Hall;
  readonly ledger: Ledger;
  readonly watch: Watch;
  readonly people: People;
  readonly mischief: Mischief;
  /** What goes wrong between Sidero and its API now. */
  readonly trouble: ApiTrouble;
  /** By the machine's UUID. */
  readonly boards: ReadonlyMap<string, Board>;
  /** Dice that nobody else throws. */
  readonly draw: () => SeededEntropy;
}

/** A hall under watch in which nothing goes wrong yet, and nothing is switched on. */
export async function startTrial({ seed, machines: count, models, onEvent, flags }: TrialOptions): Promise<Trial> {
  const entropy = new SeededEntropy(seed ^ 0x51d3_0);
  const draw = (): SeededEntropy => new SeededEntropy(entropy.below(2 ** 32));
  const trouble = noTrouble();
  const tell = (what: string): void => hall.story.tell("mischief", what);
  const apiEntropy = draw();
  const crash = (): void => {
    if (hall.process === undefined) return;
    hall.crash();
    hall.clock.after(500 + apiEntropy.below(30_000), () => void hall.start());
  };
  const hall: Hall = new Hall({
    seed,
    machines: count,
    ...(models && { models }),
    ...(flags && { flags }),
    line: (line) => watch.onText(line, "the log"),
    overhear: (machine, target) => watch.onCall(machine, target),
    site: {
      between: (transport) => troubled(transport, { trouble, entropy: apiEntropy, tell, crash }),
      onStore: (store) => ledger.follow(store),
    },
  });
  const { clock, story, machines } = hall;
  const byName = new Map(machines.map((machine) => [machine.identity.uuid, machine]));
  const secret = draw();
  const boards: Board[] = machines
    .filter(({ identity }) => identity.model.bmc !== "none")
    .map((machine, i) => {
      const password = `${SECRET}${Buffer.from(secret.bytes(6)).toString("hex")}`;
      const onAction = (what: string): void => watch.onAction(board, what);
      const board: Board = new Board({ machine, address: `10.88.${i >> 8}.${i & 255}`, user: "admin", password, onAction });
      return board;
    });
  const watch: Watch = new Watch({
    story,
    ledger: () => ledger,
    machines: byName,
    secrets: () => boards.map(({ password }) => password),
  });
  const ledger: Ledger = new Ledger({
    clock,
    onServer: (after, before) => watch.onServer(after, before),
    onEvent: (event) => {
      watch.onEvent(event);
      onEvent?.(event);
    },
    violation: (what) => watch.violation(what),
  });
  for (const machine of machines) for (const disk of machine.disks) disk.onWrite = () => watch.onWrite(machine, disk.name);
  const byUuid = new Map(boards.map((board) => [board.uuid, board]));
  const people = new People({
    entropy: draw(),
    client: () => hall.process?.client,
    ledger,
    machines,
    boards: byUuid,
    tell: (what) => story.tell("people", what),
  });
  const mischief = new Mischief({ hall, entropy: draw(), clock, api: trouble, boards, tell });

  for (const board of boards) await plugIn(board, { web: hall.web, network: hall.network, clock, entropy: draw() });
  await hall.during(hall.start());
  return { hall, ledger, watch, people, mischief, trouble, boards: byUuid, draw };
}

export async function runTrial(options: TrialOptions): Promise<Verdict> {
  const { seed, machines: count, hours = 2 } = options;
  const { hall, ledger, watch, people, mischief, draw } = await startTrial(options);
  const { clock, story, machines } = hall;
  const powering = draw();
  for (const machine of machines) clock.after(powering.below(10 * MINUTE), () => machine.switchOn());
  const dice = draw();
  let isTroubled = true;
  const every = (mean: number, act: () => void): void => {
    clock.after(-Math.log(1 - dice.fraction()) * mean, () => {
      if (!isTroubled) return;
      act();
      every(mean, act);
    });
  };
  const scale = 20 / count;
  every(PACE.people * scale, () => void people.act());
  every(PACE.mischief * Math.sqrt(scale), () => mischief.strike());
  await hall.pass(hours * HOUR);

  isTroubled = false;
  mischief.end();
  story.tell("hall", "from now on nothing goes wrong any more");
  if (hall.process === undefined) await hall.during(hall.start());
  for (const machine of machines) await hall.during(people.restore(machine));
  let left: string[] = [];
  for (let passed = 0; passed < CALM * HOUR; passed += 10 * MINUTE) {
    await hall.pass(10 * MINUTE);
    left = machines.flatMap((machine) => restless(machine, ledger) ?? []);
    if (left.length === 0) break;
    // Who is not known at all has a person come by: deleted is deleted until the machine starts again.
    for (const machine of machines) {
      if (ledger.servers.has(machine.identity.uuid)) continue;
      if (machine.power === "on") machine.reset();
      else machine.switchOn();
    }
  }
  const end = clock.monotonic();
  await hall.stop();
  return { seed, violations: watch.violations, restless: left, story, hours: end / HOUR, servers: ledger.servers };
}
