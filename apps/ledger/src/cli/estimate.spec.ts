import { printEstimate } from './estimate';

const PUBLISHED = '--campuses 75,75 --courses 30,30,30,30,30,30 --storage-gigabytes 120 --members 150 --euros-per-member 5.00';

function run(args: string, env = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const status = printEstimate(
    args === '' ? [] : args.split(' '),
    env,
    (line) => void out.push(line),
    (line) => void err.push(line),
  );
  return { status, out: out.join('\n'), err: err.join('\n') };
}

describe('npm run estimate', () => {
  it('prints the published example', () => {
    const { status, out, err } = run(PUBLISHED);
    expect([status, err]).toEqual([0, '']);
    expect(out.split('\n').map((line) => line.replace(/ {2,}/g, ' ').trim())).toEqual([
      'tokens',
      'hosting 1,650 165 places on 1 campus and 3 courses beyond the free ones',
      'storage 475 119 GB beyond the free one',
      'AI of members 75,000 150 x 500: 26 conversations each',
      '-'.repeat(22),
      'a month 77,125 771.25 EUR at list price',
      'a year 925,500 9,255.00 EUR at list price',
      'free: 1 of the campuses. The first (oldest) campus is free.',
      'free: 3 of the courses. The first three (oldest) courses are free.',
      'free: 1 of the gigabytes. The first gigabyte (10^9 bytes) is free.',
    ]);
  });

  it('prints it as JSON, and the whole of it', () => {
    const { status, out } = run(`${PUBLISHED} --json`);
    expect([status, JSON.parse(out)]).toEqual([
      0,
      {
        tokensPerMonth: 77_125,
        listPriceCentsPerMonth: 77_125,
        listPriceCentsPerYear: 925_500,
        hosting: { tokens: 1_650, billableCampuses: 1, billableCourses: 3, billablePlaces: 165 },
        storage: { tokens: 475, billableGigabytes: '119' },
        memberAi: { tokens: 75_000, members: 150, tokensPerMember: 500, conversationsPerMember: 26 },
        free: [
          { what: 'campuses', amount: '1', why: 'The first (oldest) campus is free.' },
          { what: 'courses', amount: '3', why: 'The first three (oldest) courses are free.' },
          { what: 'gigabytes', amount: '1', why: 'The first gigabyte (10^9 bytes) is free.' },
        ],
      },
    ]);
  });

  it('counts what is left out as not there', () => {
    expect(JSON.parse(run('--json').out)).toMatchObject({ tokensPerMonth: 0, hosting: { billablePlaces: 0 } });
    expect(JSON.parse(run('--campuses 75,1 --json').out)).toMatchObject({ tokensPerMonth: 10 });
    expect(JSON.parse(run('--storage-gigabytes 1.5 --json').out)).toMatchObject({ storage: { tokens: 2, billableGigabytes: '0.5' } });
  });

  it('stays exact at the largest that it takes', () => {
    const { status, out } = run('--members 10000000 --euros-per-member 99999.99 --storage-gigabytes 999999999.999999999 --json');
    const { listPriceCentsPerYear, memberAi } = JSON.parse(out) as { listPriceCentsPerYear: number; memberAi: { tokens: number } };
    expect([status, memberAi.tokens, Number.isSafeInteger(listPriceCentsPerYear)]).toEqual([0, 99_999_990_000_000, true]);
  });

  it.each([
    '--campuses 75,',
    '--campuses=-1',
    '--courses 1.5',
    '--courses 10000001',
    '--members many',
    '--storage-gigabytes 1,5',
    '--storage-gigabytes 0.0000000001',
    '--euros-per-member 5.001',
    '--euros-per-member 100000',
    '--colour blue',
    'seventy-five',
  ])('%s is answered with a sentence and status 2', (args) => {
    const { status, out, err } = run(args);
    expect([status, out]).toEqual([2, '']);
    expect(err).toMatch(/^.+\nUsage: npm run estimate/);
  });

  it('names a price table that cannot be served', () => {
    const { status, err } = run(PUBLISHED, { PRICE_TABLE_PATH: '/nowhere/prices.json' });
    expect([status, err]).toEqual([2, expect.stringMatching(/^PRICE_TABLE_PATH names \/nowhere\/prices\.json, which cannot be read/)]);
  });
});
