import { packageFor, Sqlite } from '.';

it.each([
  ['20.19.0', 'better-sqlite3-12'],
  ['22.13.0', 'better-sqlite3'],
  ['24.21.0', 'better-sqlite3'],
  ['100.0.0', 'better-sqlite3'],
])('runs on Node %s by %s', (node, name) => expect(packageFor(node)).toBe(name));

it('counts in integers of 64 bits, as the stores of both versions do', () => {
  const db = new Sqlite(':memory:');
  expect(
    db
      .prepare<[bigint], { sum: bigint }>('select ? + 1 as sum')
      .safeIntegers()
      .get(2n ** 62n),
  ).toEqual({ sum: 2n ** 62n + 1n });
  db.close();
});
