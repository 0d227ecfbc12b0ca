import { missingForKafka } from './distribution';

/**
 * A `describe` whose tests need a real broker. Where none can run they are skipped, with one line that says why; where
 * CI_REQUIRED is set they fail instead, so that a pipeline cannot pass by having skipped them.
 */
export function describeWithKafka(name: string, tests: () => void): void {
  const missing = missingForKafka();
  if (missing === undefined) return describe(name, tests);
  if (process.env.CI_REQUIRED)
    return describe(name, () => {
      it('has a broker to run on', () => {
        throw new Error(missing);
      });
    });
  process.stdout.write(`skipped: ${name}. ${missing}\n`);
  describe.skip(name, tests);
}
