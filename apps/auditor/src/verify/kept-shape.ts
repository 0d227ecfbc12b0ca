/** How values go into a state file and come back: as JSON, by tables that name every field. A field that no table names does not compile. */

/** `whole` is the object that the value is a field of. */
export interface Field<Value, Whole = unknown> {
  write(value: Value, whole: Whole): unknown;
  read(json: unknown, whole: Whole): Value;
}

/** Of a field that is found again from the others, or that only makes the audit quicker. */
export const DERIVED = 'derived';

export type Fields<Whole> = { readonly [Name in keyof Whole]-?: Field<Whole[Name], Whole> | typeof DERIVED };

/** The fields of one kind of object, as a list of their values in the order of the table. */
export class Shape<Whole extends object> implements Field<Whole> {
  /** Of the fields that are kept. */
  readonly names: readonly (keyof Whole & string)[];
  private readonly kept: readonly Field<unknown, Whole>[];

  constructor(
    fields: Fields<Whole>,
    private readonly blank: () => Whole,
  ) {
    this.names = (Object.keys(fields) as (keyof Whole & string)[]).filter((name) => fields[name] !== DERIVED);
    this.kept = this.names.map((name) => fields[name] as Field<unknown, Whole>);
  }

  write(value: Whole): unknown[] {
    return this.kept.map((field, at) => field.write(value[this.names[at]!], value));
  }

  read(json: unknown): Whole {
    return this.readInto(json as unknown[], this.blank());
  }

  /** Fields that come later in the table may look at those that came before. */
  readInto(json: readonly unknown[], into: Whole): Whole {
    this.kept.forEach((field, at) => {
      const name = this.names[at]!;
      into[name] = field.read(json[at], into) as Whole[typeof name];
    });
    return into;
  }
}

/** What JSON gives back as it was. */
export const same = { write: (value: unknown): unknown => value, read: (json: unknown) => json as never };

export const bigint: Field<bigint> = { write: String, read: (json) => BigInt(json as string) };

/** Undefined is null in the file, so the value itself must never be null. */
export const maybe = <Value>(each: Field<Value>): Field<Value | undefined> => ({
  write: (value) => (value === undefined ? null : each.write(value, undefined)),
  read: (json) => (json === null ? undefined : each.read(json, undefined)),
});

export const list = <Value>(each: Field<Value>): Field<Value[]> => ({
  write: (values) => values.map((value) => each.write(value, undefined)),
  read: (json) => (json as unknown[]).map((value) => each.read(value, undefined)),
});

/** In its order, which tells who came first. */
export const mapOf = <Value>(each: Field<Value>): Field<Map<string, Value>> => ({
  write: (map) => Array.from(map, ([name, value]) => [name, each.write(value, undefined)]),
  read: (json) => new Map((json as [string, unknown][]).map(([name, value]) => [name, each.read(value, undefined)])),
});

export const setOf: Field<Set<string>> = { write: (set) => [...set], read: (json) => new Set(json as string[]) };
