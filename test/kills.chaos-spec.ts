import { addsUp } from './support/adds-up';
import { LedgerUnderTest, seedOf } from './support/ledger-under-test';
import { surviveKills } from './support/kills';
import { repeatThroughTheSecond } from './support/two-doors';

/** The long runs of kills.e2e-spec.ts and two-processes.e2e-spec.ts, for CI. */

const KILLS = 60;
const TROUBLES = 100;
const MINUTES_MAX = 15;

describe('the service under long chaos', () => {
  let ledger: LedgerUnderTest;
  beforeEach(() => (ledger = new LedgerUnderTest({ FREE_TOKENS_PER_MONTH: '25' })));
  afterEach(() => ledger.end());

  it(
    `survives ${KILLS} kills`,
    async () => {
      const { witness, door, readFaults, commands } = await surviveKills(ledger, { kills: KILLS, seed: seedOf('KILLS_SEED') });
      process.stdout.write(`${commands} commands, ${witness.answers} answers, ${witness.unanswered} times none\n`);
      await addsUp(ledger, [door], witness);
      expect(readFaults).toEqual([]);
      witness.close();
    },
    MINUTES_MAX * 60_000,
  );

  it(
    `repeats through a second process while the first is frozen and killed ${TROUBLES} times`,
    async () => {
      const { witness, doors, ...counts } = await repeatThroughTheSecond(ledger, { troubles: TROUBLES, seed: seedOf('TWO_SEED') });
      process.stdout.write(`${JSON.stringify(counts)}, ${witness.answers} answers, ${witness.unanswered} times none\n`);
      await addsUp(ledger, doors, witness);
      witness.close();
    },
    MINUTES_MAX * 60_000,
  );
});
