/** A real EventStoreDB to run the suites against: `EVENTSTOREDB_URL=esdb://... npm run test:eventstoredb`. */
export const realServer: string | undefined = process.env.EVENTSTOREDB_URL?.trim() || undefined;

/** `describe` for what needs the test server's faults; against a real one it is skipped, with one line that says so. */
export function describeOnTestServer(name: string, suite: () => void): void {
  if (realServer === undefined) return void describe(name, suite);
  process.stdout.write(`Skipped on a real server, for it needs faults that only the test server has: ${name}\n`);
  describe.skip(name, suite);
}
