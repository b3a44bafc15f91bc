/** What the states of sensors without numbers mean (IPMI 2.0 §42.1, §42.2), as far as they say how a machine is. */

export type StateHealth = "ok" | "warning" | "critical";

interface State {
  readonly health: StateHealth;
  readonly text: string;
}

type States = Readonly<Record<number, readonly [StateHealth, string]>>;

/** Bits of a threshold sensor's reading (§35.14): below or above. */
const THRESHOLDS = { warning: 0x09, critical: 0x36 } as const;

export function thresholdHealth(states: number): StateHealth {
  if ((states & THRESHOLDS.critical) !== 0) return "critical";
  return (states & THRESHOLDS.warning) !== 0 ? "warning" : "ok";
}

/** §42.1, by the event type. */
const GENERIC: Readonly<Record<number, States>> = {
  0x04: { 0: ["ok", "no failure predicted"], 1: ["warning", "failure predicted"] },
  0x05: { 0: ["ok", "limit not exceeded"], 1: ["warning", "limit exceeded"] },
  0x07: {
    0: ["ok", "ok"],
    1: ["warning", "non-critical"],
    2: ["critical", "critical"],
    3: ["critical", "non-recoverable"],
    4: ["warning", "non-critical"],
    5: ["critical", "critical"],
    6: ["critical", "non-recoverable"],
  },
  0x08: { 0: ["ok", "absent"], 1: ["ok", "present"] },
  0x0b: {
    0: ["ok", "fully redundant"],
    1: ["warning", "redundancy lost"],
    2: ["warning", "redundancy degraded"],
    3: ["warning", "not redundant, enough resources"],
    4: ["warning", "not redundant, enough resources"],
    5: ["critical", "not redundant, too few resources"],
    6: ["warning", "redundancy degraded"],
    7: ["warning", "redundancy degraded"],
  },
};

/** §42.2, by the sensor type, of sensors whose states are their own. */
const SPECIFIC: Readonly<Record<number, States>> = {
  0x05: { 0: ["warning", "chassis opened"], 4: ["warning", "network unplugged"] },
  0x07: {
    0: ["critical", "internal error"],
    1: ["critical", "thermal trip"],
    2: ["critical", "self-test failed"],
    5: ["critical", "configuration error"],
    7: ["ok", "present"],
    8: ["warning", "disabled"],
    10: ["warning", "throttled"],
  },
  0x08: {
    0: ["ok", "present"],
    1: ["critical", "failed"],
    2: ["warning", "failure predicted"],
    3: ["critical", "no input"],
    4: ["critical", "input lost or out of range"],
    6: ["critical", "configuration error"],
  },
  0x0c: {
    0: ["warning", "corrected error"],
    1: ["critical", "uncorrectable error"],
    2: ["critical", "parity error"],
    5: ["warning", "too many corrected errors"],
    6: ["ok", "present"],
    7: ["critical", "configuration error"],
    10: ["critical", "too hot"],
  },
  0x0d: {
    0: ["ok", "present"],
    1: ["critical", "failed"],
    2: ["warning", "failure predicted"],
    5: ["critical", "array degraded"],
    6: ["critical", "array failed"],
  },
  0x13: {
    4: ["critical", "PCI parity error"],
    5: ["critical", "PCI system error"],
    7: ["warning", "corrected bus error"],
    8: ["critical", "uncorrectable bus error"],
    10: ["critical", "fatal bus error"],
  },
  0x29: { 0: ["warning", "battery low"], 1: ["critical", "battery failed"], 2: ["ok", "present"] },
};
const SENSOR_SPECIFIC = 0x6f;
const RANK: Readonly<Record<StateHealth, number>> = { ok: 0, warning: 1, critical: 2 };

/** The worst of the states that hold, and all of them in words; undefined when nothing is known about them. */
export function stateOf(eventType: number, sensorType: number, states: number): State | undefined {
  const known = eventType === SENSOR_SPECIFIC ? SPECIFIC[sensorType] : GENERIC[eventType];
  const holding = Object.entries(known ?? {}).filter(([bit]) => (states & (1 << Number(bit))) !== 0);
  if (holding.length === 0) return undefined;
  const worst = holding.reduce((found, [, [health]]) => (RANK[health] > RANK[found] ? health : found), "ok" as StateHealth);
  return { health: worst, text: [...new Set(holding.map(([, [, text]]) => text))].join(", ") };
}
