/** The door to the log. Facts are data beside the message; secrets never go in. */
export type Facts = Readonly<Record<string, unknown>>;

export interface Log {
  error(message: string, facts?: Facts): void;
  warn(message: string, facts?: Facts): void;
  info(message: string, facts?: Facts): void;
  /** Shown from verbosity 4 on. */
  debug(message: string, facts?: Facts): void;
  /** A log whose lines all carry these facts. */
  with(facts: Facts): Log;
}

/** For tests and for places where nobody listens. */
export const silent: Log = { error() {}, warn() {}, info() {}, debug() {}, with: () => silent };
