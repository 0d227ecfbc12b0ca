/** JSON as somebody may have damaged it. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
const ODD_VALUES: readonly Json[] = [null, true, 0, -1, 1.5, 1e308, 2 ** 53, '', 'x', '-1', '9'.repeat(19), 'é\u0000\n', [], {}, [[]], 'f'.repeat(100_000)]; // prettier-ignore

/** The same with one value removed, or replaced by an odd one; also inside. */
export function* damaged(value: Json, put: (changed: Json | undefined) => Json): Generator<Json> {
  for (const odd of [undefined, ...ODD_VALUES]) yield put(odd);
  if (typeof value !== 'object' || value === null) return;
  const entries = Array.isArray(value) ? value.map((inner, index): [string, Json] => [String(index), inner]) : Object.entries(value);
  for (const [name, inner] of entries)
    yield* damaged(inner, (changed) => {
      if (Array.isArray(value))
        return put(value.flatMap((one, index) => (String(index) !== name ? [one] : changed === undefined ? [] : [changed])));
      const others = Object.entries(value).filter(([other]) => other !== name);
      return put(Object.fromEntries(changed === undefined ? others : [...others, [name, changed]]));
    });
}
