import { endsOf, verified } from './since-run';
import { appendCopy, dataOf, edit, editMeta, type Fields, hashAgain, isUser, metaOf, ofStream, reseal } from './tamper-forging';
import { randomRows, type Row, Stores } from './tamper-store';

/** Old texts are changed so that a new event fits them: an audit that goes on reads the old ones again where it needs them. */

const WORLDS_MAX = 300;
const MORE = 7;
const seed = Number(process.env.TAMPER_SEED ?? Date.now() % 2 ** 31);
const stores = new Stores();

beforeAll(() => void process.stdout.write(`a past made to fit: TAMPER_SEED=${seed}\n`));
afterAll(() => stores.close());

type Placed = Row & { position: number };

interface Forged {
  old: Placed;
  /** The last event of its stream, which the change of the old one is made for. */
  fresh: Placed;
}

/** A new last event of a stream, as whoever knows the format writes it. */
function seal(rows: readonly Row[], row: Row): void {
  const { hash } = metaOf(ofStream(rows, row.stream).at(-2)!);
  editMeta(row, (metadata) => (metadata.previousHash = hash));
  hashAgain(row, hash);
}

/** Credits a payment again, and gives the first purchase another reference. */
function paidTwice(rows: Placed[]): Forged | undefined {
  const old = rows.find(({ type, stream }) => type === 'TokensPurchased' && stream.startsWith('organisation'))!;
  const available = ofStream(rows, old.stream).map((row) => dataOf(row).balanceAfter?.available).findLast((each) => each !== undefined) + dataOf(old).tokens; // prettier-ignore
  const fresh = appendCopy(rows, old, (data) => {
    data.purchaseId = data.purchaseId.replace(/.$/, (digit: string) => (digit === '0' ? '1' : '0'));
    data.balanceAfter = { available, balance: available };
  });
  editMeta(fresh, (metadata) => (metadata.requestId = metadata.$causationId = metadata.$correlationId = 'again'));
  edit(old, (data) => (data.paymentReference = 'another'));
  return { old, fresh: fresh as Placed };
}

/** The store up to the last event that suits, whose usage or allocation stands before it. */
function cut(rows: Placed[], suits: (data: Fields, row: Row) => boolean, oldOf: (data: Fields, row: Row) => (row: Row) => boolean) {
  const at = rows.findLastIndex((row) => isUser(row) && suits(dataOf(row), row));
  if (at < 0) return undefined;
  rows.length = at + 1;
  const fresh = rows[at]!;
  return { old: rows.find(oldOf(dataOf(fresh), fresh))!, fresh };
}

/** Gives back more than a usage took, and lets the usage say so. */
function givenBackMore(rows: Placed[]): Forged | undefined {
  const forged = cut(
    rows,
    ({ returned, lapsed }, { type }) =>
      type === 'UsageReversed' && lapsed === 0 && returned.length === 1 && returned[0].source === 'purchased',
    ({ usageId }) => ({ type, data }) => type === 'TokensUsed' && data.includes(usageId), // prettier-ignore
  );
  if (!forged) return undefined;
  edit(forged.fresh, ({ balanceAfter, returned }) => {
    balanceAfter.balance += MORE;
    balanceAfter.purchased += MORE;
    returned[0].tokens += MORE;
  });
  edit(forged.fresh, (data) => (data.tokens += MORE));
  edit(forged.old, (data) => {
    for (const each of [data, data.charged[0]]) each.tokens += MORE;
  });
  return forged;
}

/** Receives more than was allocated, and lets the allocation say so. */
function receivedMore(rows: Placed[]): Forged | undefined {
  const forged = cut(
    rows,
    ({ balanceAfter, allocationId }, row) => row.type === 'AllocationReceived' && balanceAfter && allocationId,
    ({ allocationId }) => ({ type, data }) => type === 'TokensAllocated' && data.includes(allocationId), // prettier-ignore
  );
  if (!forged) return undefined;
  const userId = forged.fresh.stream.slice('userWallet-'.length);
  edit(forged.fresh, (data) => {
    for (const each of [data, data.balanceAfter.allocated[0]]) each.tokens += MORE;
    data.balanceAfter.balance += MORE;
  });
  edit(forged.old, ({ lines }) => lines.forEach((line: [string, number]) => (line[1] += line[0] === userId ? MORE : 0)));
  return forged;
}

/** Takes the old event away; that the number of events is another shows in a file, not through the port. */
function gone(rows: Placed[]): Forged | undefined {
  const forged = givenBackMore(rows);
  if (forged) rows.splice(rows.indexOf(forged.old), 1);
  return forged;
}

it.each([
  ['a payment is credited again under a reference that the first purchase does not name any more', paidTwice, false],
  ['a reversal gives back more, and the usage says that it took as much', givenBackMore, false],
  ['more is received, and the allocation says so', receivedMore, false],
  ['the usage of a reversal is gone', gone, true],
])('is found, as a past that is another, where %s', async (_, forge, port) => {
  for (let number = 0; number < WORLDS_MAX; number += 1) {
    const clean = randomRows(seed + number);
    const rows = clean.map((row, index) => ({ ...row, position: index + 1 }));
    const forged = forge(rows);
    if (!forged) continue;
    if (rows.length > clean.length) forged.fresh.position = rows.length;
    seal(rows, forged.fresh);
    const first = clean.findIndex(({ id }) => id === forged.old.id);
    const until = Math.min(clean.length, forged.fresh.position - 1);
    const point = endsOf(clean).findLast((end) => end <= until);
    // The event at the certificate's position is looked at anyway.
    if (point === undefined || first >= point - 1) continue;
    const certificate = stores.file('c.json');
    expect((await verified(await stores.holding(clean.slice(0, point)), { certificate })).result.findings.count).toBe(0);
    const { result, told } = await verified(await stores.holding(rows), { since: certificate, port });
    expect([told, result.wentOnFrom?.position]).toEqual([[], point]);
    expect(result.findings.kept.filter(({ rule }) => rule === 'certificate')).toMatchObject([{ what: expect.stringContaining(`the event at position ${first + 1}`), found: 'another or gone' }]); // prettier-ignore
    return;
  }
  throw new Error('no world has a place for it');
});

it('is not said of an allocation that names a member twice with one number, as it did when it was audited', async () => {
  const rows = randomRows(seed);
  const row = rows.find(({ type }) => type === 'TokensAllocated')!;
  edit(row, ({ lines }) => lines.push([lines[0][0], lines[0][1] + MORE, lines[0][2]]));
  reseal(rows, row.stream);
  const { result } = await verified(await stores.holding(rows));
  expect([...result.findings.byRule.keys()]).toContain('number');
  expect(result.findings.byRule.get('certificate')).toBeUndefined();
});
