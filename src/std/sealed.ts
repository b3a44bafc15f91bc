/** A secret value: nobody sees it who does not ask for it by name. Whatever prints it, prints `***`. */
export class Sealed<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }
  reveal(): T {
    return this.#value;
  }
  toString(): string {
    return "***";
  }
  toJSON(): string {
    return "***";
  }
  /** Node's `util.inspect`, and with it `console.log`. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "***";
  }
}
