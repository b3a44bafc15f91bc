/**
 * `make sim`: trials by ordeal, seed by seed. One line for each; the story of one that fails goes to standard output whole. Exit code 1 when one
 * has failed.
 */
import { parseArgs } from "node:util";
import { runTrial } from "./trial/trial.ts";

const USAGE = `usage: make sim SEEDS=20 MACHINES=20 SEED_BASE=1 [HOURS=2] [STORY=1] [WHO=SIM000003]

Each seed is a hall of simulated machines (real DHCP, TFTP, HTTP, gRPC, IPMI and Redfish bytes, a virtual clock) on which
people and mischief work for HOURS; then everything must come to rest. The same seed is the same story, to the millisecond.
  SEEDS       how many, one after the other
  MACHINES    in each hall
  SEED_BASE   the first seed; a failing seed is repeated by SEEDS=1 SEED_BASE=<seed> and the same MACHINES and HOURS
  STORY=1     print the story also when all is well; WHO= only the lines about one machine, by its serial number`;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20" },
    machines: { type: "string", default: "20" },
    "seed-base": { type: "string", default: "1" },
    hours: { type: "string", default: "2" },
    story: { type: "boolean", default: false },
    who: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

function number(name: "seeds" | "machines" | "seed-base" | "hours"): number {
  const value = Number(values[name]);
  if (values[name].trim() === "" || !Number.isFinite(value) || value < 0) {
    console.error(`sim: ${name}: "${values[name]}" is not a number\n\n${USAGE}`);
    process.exit(2);
  }
  return value;
}

if (values.help) {
  console.log(USAGE);
} else {
  const [seeds, machines, base, hours] = [number("seeds"), number("machines"), number("seed-base"), number("hours")];
  let failures = 0;
  for (let seed = base; seed < base + seeds; seed++) {
    const before = process.cpuUsage();
    const { violations, restless, story, hours: passed } = await runTrial({ seed, machines, hours });
    const isWell = violations.length === 0 && restless.length === 0;
    if (!isWell) failures++;
    if (!isWell || values.story) console.log(story.text(values.who));
    for (const each of violations) console.log(`  must never be: ${each}`);
    for (const each of restless) console.log(`  not at rest: ${each}`);
    const { user, system } = process.cpuUsage(before);
    const took = ((user + system) / 1e6).toFixed(1);
    console.log(
      `seed ${seed}: ${isWell ? "well" : "FAILED"} (${machines} machines, ${passed.toFixed(1)} h in ${took} s of CPU time)`,
    );
  }
  if (failures > 0)
    console.log(`${failures} of ${seeds} seeds failed; one again: make sim SEEDS=1 MACHINES=${machines} SEED_BASE=<seed>`);
  process.exitCode = failures > 0 ? 1 : 0;
}
