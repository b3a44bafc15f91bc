/** From options on the wire to named values and back, by a table. */
import type { Codec } from "./codec.ts";
import { callerFault, peerFault } from "./fault.ts";
import type { MalformedOption, RawOption } from "./packet.ts";

export interface OptionForm<T> {
  readonly code: number;
  readonly codec: Codec<T>;
  /** A wrong value spoils the message: what it asks or promises rests on this option. Of the others we make do without. */
  readonly isVital?: true;
}

/** An option whose instances are the items of a list. */
export interface RepeatedForm<T> extends OptionForm<T> {
  readonly isRepeated: true;
}

/** Says for every field of `O` which option it is. */
export type OptionTable<O> = {
  readonly [Name in keyof O]-?:
    | OptionForm<NonNullable<O[Name]>>
    | (O[Name] extends readonly (infer Item)[] | undefined ? RepeatedForm<Item> : never);
};

export interface FramedOption extends RawOption {
  /** The first byte of the option, and of its value, in the message. */
  readonly offset: number;
  readonly valueOffset: number;
}

export interface ReadOptions<O> {
  readonly options: O;
  readonly others?: readonly RawOption[];
  readonly malformed?: readonly MalformedOption[];
}

export interface OptionSet<O> {
  read(framed: readonly FramedOption[]): ReadOptions<O>;
  /** In the order of the table, then the others. A value without wire form, or a known code among the others, is a `caller` Fault. */
  write(options: O, others?: readonly RawOption[]): RawOption[];
}

export function optionSet<O extends object>(table: OptionTable<O>): OptionSet<O> {
  const forms = Object.entries<OptionForm<unknown> | RepeatedForm<unknown>>(table);
  const byCode = new Map(forms.map(([name, form]) => [form.code, { name, form }]));

  function read(framed: readonly FramedOption[]): ReadOptions<O> {
    const options: Record<string, unknown> = {};
    const others: RawOption[] = [];
    const malformed: MalformedOption[] = [];
    for (const { code, value, offset, valueOffset } of framed) {
      const known = byCode.get(code);
      if (known === undefined) {
        others.push({ code, value: value.slice() });
        continue;
      }
      const { name, form } = known;
      const typed = form.codec.read(value, valueOffset);
      const problem = problemOf(name, form, typed, value.length, Object.hasOwn(options, name));
      if (problem !== undefined) {
        if (form.isVital) throw peerFault("dhcp.malformed", offset, problem);
        malformed.push({ code, value: value.slice(), offset, problem });
      } else if ("isRepeated" in form) {
        ((options[name] ??= []) as unknown[]).push(typed);
      } else {
        options[name] = typed;
      }
    }
    return {
      options: options as O,
      ...(others.length > 0 ? { others } : {}),
      ...(malformed.length > 0 ? { malformed } : {}),
    };
  }

  function write(options: O, others: readonly RawOption[] = []): RawOption[] {
    const written = forms.flatMap(([name, form]) => {
      const value = options[name as keyof O] as unknown;
      if (value === undefined) return [];
      const items = "isRepeated" in form ? (value as unknown[]) : [value];
      return items.map((item) => ({ code: form.code, value: writeOne(name, form, item) }));
    });
    for (const { code } of others) {
      const known = byCode.get(code);
      if (known !== undefined) throw callerFault("dhcp.unencodable", `option ${code}`, `it has a name here: ${known.name}`);
    }
    return [...written, ...others];
  }

  return { read, write };
}

function problemOf(
  name: string,
  form: OptionForm<unknown>,
  typed: unknown,
  length: number,
  isAgain: boolean,
): string | undefined {
  if (typed === undefined) return `option ${form.code} (${name}) has ${length} bytes that are not ${form.codec.form}`;
  if (isAgain && !("isRepeated" in form)) return `option ${form.code} (${name}) is there a second time`;
  return undefined;
}

function writeOne(name: string, form: OptionForm<unknown>, item: unknown): Uint8Array {
  const bytes = form.codec.write(item);
  if (bytes === undefined) throw callerFault("dhcp.unencodable", name, `the value is not ${form.codec.form}`);
  return bytes;
}
