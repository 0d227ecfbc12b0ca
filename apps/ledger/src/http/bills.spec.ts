import { type Answer, LedgerForSpec, type Sent } from './ledger-for-spec';

const NOON = '2026-11-23T12:00:00.000Z';

const HOSTING = { kind: 'hosting', month: '2026-11', campuses: [75, 75], courses: [30, 30, 30, 30], onShortfall: 'decline' };
/** 120 GB: 119 beyond the free one, 15.827 tokens a day. */
const STORAGE = { day: '2026-11-23', bytes: 120_000_000_000, onShortfall: 'decline' };

let ledger: LedgerForSpec;
beforeAll(async () => {
  ledger = await LedgerForSpec.start({ PLATFORM_TIME_ZONE: 'America/New_York' });
});
beforeEach(() => ledger.at(NOON));
afterAll(() => ledger.stop());

const send = (method: string, path: string, sent: Sent = {}) => ledger.send(method, `/v1${path}`, sent);
const keyed = (key: string, body: object): Sent => ({ body, headers: { 'idempotency-key': key } });
const after = ({ headers }: Answer) => ({ headers: { 'ledger-position': headers['ledger-position']! } });
let payments = 0;
const buy = (owner: string, tokens: number) =>
  send('POST', `${owner}/purchases`, { body: { tokens, paymentReference: `payment-${++payments}` } });
/** An organisation of its own for each test, with as many tokens. */
async function organisation(id: string, tokens = 0, timeZone = 'UTC'): Promise<string> {
  const owner = `/organisations/${id}`;
  expect((await send('PUT', owner, { body: { timeZone } })).status).toBe(201);
  if (tokens > 0) await buy(owner, tokens);
  return owner;
}
const bill = (owner: string, body: object = {}) => send('POST', `${owner}/bills`, { body: { ...HOSTING, ...body } });
const accrue = (owner: string, body: object = {}) => send('POST', `${owner}/storage`, { body: { ...STORAGE, ...body } });
const said = ({ status, body }: Answer) => [status, body.code ?? body];

describe('a hosting bill', () => {
  it('charges a month once, and says what was free', async () => {
    const owner = await organisation('hosted', 2_000);
    const billed = await bill(owner);
    expect(said(billed)).toEqual([
      201,
      {
        billId: expect.any(String),
        kind: 'hosting',
        month: '2026-11',
        tokens: 1_050,
        chargedTokens: 1_050,
        owedTokens: 0,
        declined: false,
        breakdown: { billableCampuses: 1, billableCourses: 1, billablePlaces: 105 },
        charged: [{ source: 'purchased', tokens: 1_050 }],
      },
    ]);
    expect((await bill(owner, { campuses: [], courses: [] })).body).toMatchObject({ status: 409, code: 'BILL_EXISTS', month: '2026-11' });
    expect(said(await bill(owner, { month: '2026-12' }))).toEqual([400, 'VALIDATION_FAILED']);
    expect((await bill(owner, { month: '2025-01' })).body).toMatchObject({ declined: true, month: '2025-01' });
    expect((await send('GET', owner, after(billed))).body).toMatchObject({ available: 950, owed: 0, storageDeclined: false });
    expect(said(await bill('/organisations/nobody'))).toEqual([404, 'ORGANISATION_NOT_FOUND']);
  });

  it('costs nothing where all is free, and is still the one bill of its month', async () => {
    const owner = await organisation('small');
    expect((await bill(owner, { campuses: [10_000_000], courses: [1, 2, 3] })).body).toMatchObject({ tokens: 0, declined: false });
    expect((await bill(owner)).body.code).toBe('BILL_EXISTS');
  });

  it('is declined once a month, whatever else is tried; then a new key succeeds', async () => {
    const owner = await organisation('poor', 1_049);
    const first = await send('POST', `${owner}/bills`, keyed('d1', HOSTING));
    expect(first.body).toMatchObject({ declined: true, tokens: 1_050, chargedTokens: 0, owedTokens: 0 });
    const second = await send('POST', `${owner}/bills`, keyed('d2', HOSTING));
    expect(second.body).toMatchObject({
      status: 402,
      code: 'INSUFFICIENT_TOKENS',
      requested: 1_050,
      available: 1_049,
      missing: 1,
      sources: [{ source: 'purchased', available: 1_049 }],
    });
    await buy(owner, 200);
    // The refusal did not use its key up; the key of the decline is used up, and answers the decline for ever.
    const paid = await send('POST', `${owner}/bills`, keyed('d2', HOSTING));
    expect(paid.body).toMatchObject({ declined: false, chargedTokens: 1_050, owedTokens: 0 });
    const replayed = await send('POST', `${owner}/bills`, keyed('d1', HOSTING));
    expect([replayed.headers['idempotency-replayed'], replayed.body]).toEqual(['true', first.body]);
    const { data } = (await send('GET', `${owner}/bills`, after(paid))).body as { data: { declined: boolean; actor: string }[] };
    expect(data.map(({ declined, actor }) => [declined, actor])).toEqual([
      [false, 'billing'],
      [true, 'billing'],
    ]);
  });

  it('is owed, and the next purchases pay the debt before anything reaches the balance', async () => {
    const owner = await organisation('debtor', 300);
    expect((await bill(owner, { onShortfall: 'owe' })).body).toMatchObject({ chargedTokens: 300, owedTokens: 750, declined: false });
    expect((await buy(owner, 200)).body).toMatchObject({ tokens: 200, owedPaid: 200, available: 0 });
    const last = await buy(owner, 1_000);
    expect(last.body).toMatchObject({ owedPaid: 550, available: 450 });
    expect((await send('GET', owner, after(last))).body).toMatchObject({ available: 450, owed: 0 });
  });

  it('cannot be owed beyond what a wallet may ever buy', async () => {
    const owner = await organisation('bottomless');
    const huge = { campuses: Array<number>(10_000).fill(10_000_000), courses: [], onShortfall: 'owe' };
    // 9,999 campuses x 10^7 members x 10 tokens are just below 10^12; another month is above it.
    const billed = await bill(owner, huge);
    expect(billed.body).toMatchObject({ owedTokens: 999_900_000_000 });
    expect((await bill(owner, { ...huge, month: '2026-10' })).body).toMatchObject({ status: 422, code: 'BALANCE_TOO_LARGE' });
    expect((await bill(owner, { ...huge, month: '2026-10', onShortfall: 'decline' })).body).toMatchObject({ declined: true });
    expect((await send('GET', owner, after(billed))).body.owed).toBe(999_900_000_000);
  });

  it('takes free tokens of a user first, then purchased ones, and never allocated ones', async () => {
    const owner = await organisation('giver', 1_000);
    await send('PUT', '/users/teacher/free-allowance', { body: { tokensPerMonth: 25 } });
    await buy('/users/teacher', 200);
    await send('PUT', `${owner}/members/teacher`, { body: { status: 'permitted' } });
    const allocated = await send('POST', `${owner}/allocations`, { body: { lines: [{ userId: 'teacher', tokens: 500 }] } });
    await send('GET', '/users/teacher', after(allocated));

    const billed = await bill('/users/teacher', { campuses: [1, 30], courses: [], onShortfall: 'owe' });
    expect(billed.body).toMatchObject({ tokens: 300, chargedTokens: 225, owedTokens: 75 });
    expect((await send('GET', '/users/teacher', after(billed))).body).toMatchObject({
      balance: 500,
      free: { tokens: 0 },
      purchased: 0,
      owed: 75,
      allocated: [{ tokens: 500, usable: 500 }],
    });
    // A raised allowance is a grant, and grants pay no debt.
    const raised = await send('PUT', '/users/teacher/free-allowance', { body: { tokensPerMonth: 100 } });
    expect((await send('GET', '/users/teacher', after(raised))).body).toMatchObject({ free: { tokens: 75 }, owed: 75 });
    expect((await buy('/users/teacher', 200)).body).toMatchObject({ owedPaid: 75, available: 700 });
  });

  it("goes by the months of its owner's zone", async () => {
    const tokyo = await organisation('tokyo', 5_000, 'Asia/Tokyo');
    ledger.at('2026-11-30T15:00:00.000Z');
    expect((await bill(tokyo, { month: '2026-12' })).status).toBe(201);
    ledger.at('2026-12-01T04:59:59.999Z');
    // In New York, the platform's zone, it is still November.
    expect((await bill('/users/new-yorker', { month: '2026-12', onShortfall: 'owe' })).body).toMatchObject({
      code: 'VALIDATION_FAILED',
      errors: [{ field: '/month', value: '2026-12', message: 'must be 2026-11 or a month before it' }],
    });
    ledger.at('2026-12-01T05:00:00.000Z');
    expect((await bill('/users/new-yorker', { month: '2026-12', onShortfall: 'owe' })).status).toBe(201);
  });
});

describe('a day of storage', () => {
  it('is exact, and charges whole tokens as they gather', async () => {
    const owner = await organisation('stored', 1_000);
    expect((await accrue(owner)).body).toEqual({
      day: '2026-11-23',
      accruedTokens: '15.827',
      chargedTokens: 15,
      carriedTokens: '0.827',
      owedTokens: 0,
      declined: false,
      charged: [{ source: 'purchased', tokens: 15 }],
    });
    expect((await accrue(owner, { day: '2026-11-21' })).body).toMatchObject({ chargedTokens: 16, carriedTokens: '0.654' });
    expect((await accrue(owner, { day: '2026-11-22', bytes: 1_000_000_001 })).body).toMatchObject({
      accruedTokens: '0.000000000133',
      chargedTokens: 0,
      carriedTokens: '0.654000000133',
    });
    expect((await accrue(owner)).body).toMatchObject({ status: 409, code: 'BILL_EXISTS', day: '2026-11-23' });
  });

  it('is declined with BillDeclined once a month, stays in the carry, and is taken by the first day that can be paid', async () => {
    const owner = await organisation('full');
    const first = await accrue(owner, { day: '2026-11-21' });
    expect(first.body).toMatchObject({ chargedTokens: 0, carriedTokens: '15.827', declined: true });
    const second = await accrue(owner, { day: '2026-11-22' });
    expect(second.body).toMatchObject({ carriedTokens: '31.654', declined: true });
    expect((await send('GET', owner, after(second))).body).toMatchObject({ available: 0, storageDeclined: true, revision: 3 });
    expect((await send('GET', `${owner}/bills`, after(second))).body.data).toHaveLength(2);
    await buy(owner, 200);
    const third = await accrue(owner);
    expect(third.body).toMatchObject({ chargedTokens: 47, carriedTokens: '0.481', declined: false });
    expect((await send('GET', owner, after(third))).body).toMatchObject({ available: 153, storageDeclined: false });
  });

  it('is owed, together with what earlier days left in the carry', async () => {
    await accrue('/users/hoarder', { day: '2026-11-22' });
    const owing = await accrue('/users/hoarder', { onShortfall: 'owe' });
    expect(owing.body).toMatchObject({ chargedTokens: 0, owedTokens: 31, carriedTokens: '0.654', declined: false });
    expect((await buy('/users/hoarder', 200)).body).toMatchObject({ owedPaid: 31, available: 169 });
  });

  it('is a day of the calendar, of the zone of its owner, not to come and ended at most 72 h ago', async () => {
    const auckland = await organisation('auckland', 1_000, 'Pacific/Auckland');
    // 2026-11-24T01:00 there, 13 hours ahead; 07:00 of the 23rd in New York.
    expect((await accrue(auckland, { day: '2026-11-24' })).status).toBe(201);
    expect(said(await accrue(auckland, { day: '2026-11-25' }))).toEqual([400, 'VALIDATION_FAILED']);
    expect((await accrue('/users/yorker', { day: '2026-11-24' })).body).toMatchObject({
      errors: [{ field: '/day', message: 'must be 2026-11-23 or a day before it' }],
    });
    for (const day of ['2026-02-30', '2026-11-31'])
      expect((await accrue('/users/yorker', { day })).body).toMatchObject({ errors: [{ field: '/day', value: day }] });
    for (const day of ['0000-01-01', '0001-01-01', '2025-11-23']) expect(said(await accrue(auckland, { day }))).toEqual([422, 'TOO_OLD']);
    // The 20th ended in New York at 05:00 of the 21st, UTC.
    ledger.at('2026-11-24T05:00:00.000Z');
    expect((await accrue('/users/yorker', { day: '2026-11-20' })).status).toBe(201);
    ledger.at('2026-11-24T05:00:00.001Z');
    expect((await accrue('/users/late', { day: '2026-11-20' })).body).toMatchObject({
      status: 422,
      code: 'TOO_OLD',
      day: '2026-11-20',
      endedAt: '2026-11-21T05:00:00.000Z',
    });
  });

  it('that nobody accrued shows as missed, and no longer once it was', async () => {
    const owner = await organisation('gaps', 1_000);
    expect((await send('GET', `${owner}/storage`)).body).toMatchObject({ firstDay: null, lastDay: null, accruedDays: 0, missed: 0 });
    await accrue(owner, { day: '2026-11-20' });
    const last = await accrue(owner, { day: '2026-11-23' });
    expect((await send('GET', `${owner}/storage`, after(last))).body).toEqual({
      firstDay: '2026-11-20',
      lastDay: '2026-11-23',
      accruedDays: 2,
      missed: 2,
      missedDays: ['2026-11-22', '2026-11-21'],
      carriedTokens: '0.654',
      declined: false,
      owed: 0,
    });
    const late = await accrue(owner, { day: '2026-11-22' });
    expect((await send('GET', `${owner}/storage`, after(late))).body).toMatchObject({ missed: 1, missedDays: ['2026-11-21'] });
    ledger.at('2027-06-01T12:00:00.000Z');
    const long = await accrue(owner, { day: '2027-06-01' });
    const { missed, missedDays } = (await send('GET', `${owner}/storage`, after(long))).body as { missed: number; missedDays: string[] };
    expect([missed, missedDays.length, missedDays[0], missedDays[99]]).toEqual([190, 100, '2027-05-31', '2027-02-21']);
  });
});

describe('the list of bills', () => {
  it('is newest first, by pages, of one kind or of both', async () => {
    const owner = await organisation('listed', 5_000);
    await bill(owner);
    await accrue(owner);
    const last = await bill(owner, { month: '2026-10' });
    const list = async (query: string) => (await send('GET', `${owner}/bills?${query}`, after(last))).body as { data: Listed[]; nextCursor: string }; // prettier-ignore
    const names = ({ data }: { data: Listed[] }) => data.map(({ kind, month, day }) => `${kind} ${day ?? month}`);
    expect(names(await list(''))).toEqual(['hosting 2026-10', 'storage 2026-11-23', 'hosting 2026-11']);
    expect(names(await list('kind=storage'))).toEqual(['storage 2026-11-23']);
    const page = await list('kind=hosting&limit=1');
    expect(names(page)).toEqual(['hosting 2026-10']);
    const rest = await list(`kind=hosting&limit=1&cursor=${page.nextCursor}`);
    expect([names(rest), rest.nextCursor]).toEqual([['hosting 2026-11'], null]);
    expect(said(await send('GET', `${owner}/bills?kind=taxi`))).toEqual([400, 'VALIDATION_FAILED']);
    expect(said(await send('GET', '/organisations/nobody/bills'))).toEqual([404, 'ORGANISATION_NOT_FOUND']);
    expect((await send('GET', '/users/nobody/bills')).body).toEqual({ data: [], nextCursor: null });
  });
});

describe('after a restart', () => {
  it('every key answers to the letter what it answered first, and what was declined can be billed', async () => {
    const owner = await organisation('lasting', 1_060);
    const sent: [string, Sent][] = [
      [`${owner}/bills`, keyed('hosting', HOSTING)],
      [`${owner}/bills`, keyed('declined', { ...HOSTING, month: '2026-10' })],
      [`${owner}/storage`, keyed('declined-day', STORAGE)],
      [`${owner}/storage`, keyed('day', { ...STORAGE, day: '2026-11-22', bytes: 2_000_000_000, onShortfall: 'owe' })],
      ['/users/lasting/bills', keyed('owed', { ...HOSTING, onShortfall: 'owe' })],
    ];
    const first: Answer[] = [];
    for (const [path, how] of sent) first.push(await send('POST', path, how));
    expect(first.map(({ body }) => [body.declined, body.chargedTokens])).toEqual([[false, 1_050], [true, 0], [true, 0], [false, 10], [false, 0]]); // prettier-ignore
    const bills = (await send('GET', `${owner}/bills`, after(first[3]!))).body;

    await ledger.restart({ PLATFORM_TIME_ZONE: 'America/New_York' });
    // Long after the days were too old: a key comes before anything that looks at the clock.
    ledger.at('2027-03-01T12:00:00.000Z');
    for (const [at, [path, how]] of sent.entries()) {
      const again = await send('POST', path, how);
      expect([again.headers['idempotency-replayed'], again.status, again.body]).toEqual(['true', 201, first[at]!.body]);
      expect(JSON.stringify(again.body)).toBe(JSON.stringify(first[at]!.body));
    }
    expect((await send('GET', `${owner}/bills`, after(first[3]!))).body).toEqual(bills);
    expect((await send('POST', sent[0]![0], keyed('hosting', { ...HOSTING, campuses: [] }))).body.code).toBe('KEY_REUSED');
    expect((await bill(owner)).body.code).toBe('BILL_EXISTS');
    expect((await bill(owner, { month: '2026-10' })).body.code).toBe('INSUFFICIENT_TOKENS');
    expect((await send('GET', '/users/lasting', after(first[4]!))).body).toMatchObject({ owed: 1_050, storageDeclined: false });
  });
});

interface Listed {
  kind: string;
  month: string;
  day?: string;
}
