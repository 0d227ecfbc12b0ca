import { addsUp } from './support/adds-up';
import { LedgerUnderTest, seedOf } from './support/ledger-under-test';
import { surviveKills } from './support/kills';

const KILLS = 10;

describe('the service, killed in the middle of its work', () => {
  let ledger: LedgerUnderTest;
  beforeAll(() => (ledger = new LedgerUnderTest({ FREE_TOKENS_PER_MONTH: '25' })));
  afterAll(() => ledger.end());

  it(`has every answered command once, and no unanswered one twice, after ${KILLS} kills`, async () => {
    const { witness, door, readFaults, commands } = await surviveKills(ledger, { kills: KILLS, seed: seedOf('KILLS_SEED') });
    await addsUp(ledger, [door], witness);
    expect(readFaults).toEqual([]);
    process.stdout.write(`${commands} commands, ${witness.answers} answers, ${witness.unanswered} times none\n`);
    expect(witness.unanswered).toBeGreaterThan(KILLS);
    witness.close();
  }, 180_000);
});
