import { auditor, auditorHere } from './explain-cli';
import { liveSchool, ORGANISATION, type School } from './explain-school';

describe('explain, as an auditor calls it', () => {
  let school: School;
  beforeAll(async () => {
    school = await liveSchool();
  }, 60_000);
  afterAll(() => school.remove());

  const explain = async (...args: string[]) => auditorHere(['explain', ...args], school.env);
  const told = async (wallet: string, event: string) => {
    const { status, out, err } = await explain('--wallet', wallet, '--event', event);
    expect([status, err]).toEqual([0, '']);
    return out;
  };

  it('says why a usage was charged: state, terms, sources in their order, and that it is decided again to the same', async () => {
    const out = await told('user:ann', school.ids.usage!);
    for (const sentence of [
      'ann was charged 30 tokens: 10 free and 20 allocated by acme.school-1_~.',
      `The usage ${school.ids.usage} was for the service "chat" with the reference "lesson 4".`,
      '1. free: held 10 tokens, asked for 30, gave 10. It had no more.',
      `2. allocated by ${ORGANISATION}: held 200 tokens, asked for 20, gave 20. That was all that was still needed.`,
      'Terms, as of event 5 of its stream: the member is permitted; days and months of America/New_York.',
      'Limit on usage: 50 tokens a day (default), 0 tokens used in 2026-11-23.',
      "Limit on usage: 70 tokens a month (member's own), 0 tokens used in 2026-11.",
      '3. purchased: held 200 tokens. It was not asked: nothing more was needed.',
      'the same outcome, to the letter.',
      'request request-usage',
    ])
      expect(out).toContain(sentence);
  });

  it('finds out what the caller restricted, which no event says, by the hash of what was sent', async () => {
    expect(await told('user:ann', school.ids.ownTokens!)).toContain(
      'the caller restricted it to the sources purchased and free, as the hash of what the caller sent proves',
    );
    const named = await told('user:ann', school.ids.named!);
    expect(named).toContain(`the caller restricted it to allocated tokens of ${ORGANISATION} alone, as the hash`);
    expect(named).toContain('It happened at 2026-11-22T23:30:00.500Z, so it counts in the windows of that instant');
    expect(named).toContain('0 tokens used in 2026-11-22');
  });

  it('says how a cost became tokens', async () => {
    expect(await told('user:ann', school.ids.ownTokens!)).toContain(
      'It cost 0.10 EUR; at 190 % of that and one cent a token, rounded half up, that is 19 tokens.',
    );
  });

  it('says which limit refused a request, whose, how much was used and when it resets', async () => {
    const { status, out } = await explain('--refusal', 'request-refused');
    expect(status).toBe(0);
    for (const sentence of [
      `A usage of ann was refused at 2026-11-23T09:00:00.000Z: the daily limit of ${ORGANISATION} left too little.`,
      `It is the default limit at ${ORGANISATION}: 50 tokens a day.`,
      '20 tokens were used in 2026-11-23, so 30 tokens were left.',
      'It resets at 2026-11-24T05:00:00.000Z.',
      `It is ann's own limit at ${ORGANISATION}: 70 tokens a month.`,
      '27 tokens were used in 2026-11, so 43 tokens were left.',
      'it agrees.',
    ])
      expect(out).toContain(sentence);
    const json = (await explain('--refusal', 'request-refused', '--wallet', 'user:ann', '--json')).out.trim().split('\n');
    expect(json.map((line) => JSON.parse(line).facts.limit)).toMatchObject([
      { period: 'daily', limit: 50, used: 20, whose: 'default', by: 'refusal' },
      { period: 'monthly', limit: 70, used: 27, whose: 'member', by: 'refusal' },
    ]);
  });

  it('says that a request left no refusal, as could not run', async () => {
    const { status, err } = await explain('--refusal', 'request-usage');
    expect([status, err]).toEqual([2, expect.stringContaining('No refused usage of the request "request-usage" left a LimitReached')]);
  });

  it('explains purchases, allocations, bills and storage', async () => {
    const wallet = `organisation:${ORGANISATION}`;
    const purchase = await told(wallet, school.ids.purchase!);
    expect(purchase).toContain('List price: 5,000 x 0.01 EUR = 50.00 EUR.');
    expect(purchase).toContain('gives 10 %, so the price was 45.00 EUR.');
    const allocation = await told(wallet, school.ids.allocation!);
    expect(allocation).toContain('allocated 560 tokens to 13 members: "week 48".');
    expect(allocation).toContain('ann: 200 tokens, line number 1 of this member (default limit 500 tokens a month, 0 given before)');
    const bill = await told(wallet, school.ids.bill!);
    expect(bill).toContain('400 x 10 tokens = 4,000 tokens.');
    const declined = await told('user:ann', school.ids.declined!);
    expect(declined).toContain('the bill said to decline: nothing was charged.');
  });

  it('gives the same to a program', async () => {
    // As a process of its own, as its users call it.
    const { status, out } = await auditor(['explain', '--wallet', 'user:ann', '--event', school.ids.usage!, '--json'], school.env);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      wallet: 'user:ann',
      type: 'TokensUsed',
      decidedAgain: { same: true },
      findings: [],
      facts: {
        before: { free: { tokens: 10, month: '2026-11' }, purchased: 200 },
        sources: [
          { source: 'free', held: 10, wanted: 30, gave: 10 },
          {
            source: 'allocated',
            organisationId: ORGANISATION,
            wanted: 20,
            gave: 20,
            terms: { revision: 5, limits: [{ limit: 50 }, { limit: 70 }] },
          },
          { source: 'purchased', wanted: 0, gave: 0 },
        ],
      },
    });
  }, 30_000);

  it.each([
    [['--wallet', 'user:ann'], 'Say one of --event and --refusal.'],
    [['--event', '1'], '--wallet is missing'],
    [['--wallet', 'ann', '--event', '1'], '--wallet must be user:<id> or organisation:<id>, and is "ann".'],
    [['--wallet', 'user:nobody', '--event', '1'], 'There is no wallet user:nobody in this store.'],
    [['--wallet', 'user:ann', '--event', '999'], 'user:ann has no event 999: its last is'],
    [['--wallet', 'user:ann', '--event', 'what'], 'user:ann has no event, usage, purchase, allocation or bill what.'],
  ])('refuses %j with a sentence and status 2', async (args, sentence) => {
    const { status, out, err } = await explain(...args);
    expect([status, out, err]).toEqual([2, '', expect.stringContaining(sentence)]);
  });
});
