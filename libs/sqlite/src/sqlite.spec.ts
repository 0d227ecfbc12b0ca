import { packageFor, Sqlite } from '.';

it.each([
  ['20.20.2', '9', 'better-sqlite3-12'],
  ['22.13.0', '9', 'better-sqlite3-12'],
  ['22.14.0', '10', 'better-sqlite3'],
  ['24.21.0', '10', 'better-sqlite3'],
])('runs on Node %s, which has Node-API %s, by %s', (_, nodeApi, name) => expect(packageFor(nodeApi)).toBe(name));

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
