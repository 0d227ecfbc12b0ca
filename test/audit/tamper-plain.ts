import { dataOf, edit, editMeta, type Expected, isUser, type Kind, metaOf, notLast, ofStream, pick, reseal } from './tamper-forging';
import type { Row } from './tamper-store';

/** Forgeries that the chain, the shapes or a certificate find. */

const at = (row: Row, rules: Expected['rules'], ...more: number[]): Expected => ({
  stream: row.stream,
  rules,
  revisions: [row.revision, ...more],
});

const plain = (name: string, forge: Kind['forge']): Kind => ({ name, by: 'audit', forge });
const certified = (name: string, forge: Kind['forge']): Kind => ({ name, by: 'certificate', forge });

/** Changes one event and makes the stream's hashes anew. */
const resealed = (name: string, rules: Expected['rules'], change: (row: Row) => void, suits: (row: Row) => boolean = () => true): Kind =>
  plain(name, (rows, dice) => {
    const row = pick(rows, dice, [], suits);
    if (!row) return undefined;
    change(row);
    reseal(rows, row.stream);
    return at(row, rules);
  });

export const CHAIN_KINDS: Kind[] = [
  plain('a field is changed', (rows, dice) => {
    const row = pick(rows, dice, [], (one) => 'tokens' in dataOf(one));
    if (row) edit(row, (data) => (data.tokens += 1 + dice.below(5)));
    return row && at(row, ['hash']);
  }),
  plain('a balance is changed', (rows, dice) => {
    const row = pick(rows, dice, [], (one) => dataOf(one).balanceAfter !== undefined);
    if (row) edit(row, (data) => (data.balanceAfter.balance += 1));
    return row && at(row, ['hash']);
  }),
  plain('an event is removed', (rows, dice) => {
    const row = pick(rows, dice, [], notLast(rows));
    if (!row) return undefined;
    rows.splice(rows.indexOf(row), 1);
    return { stream: row.stream, rules: ['revision'], revisions: [row.revision + 1] };
  }),
  plain('an event is added', (rows, dice) => {
    const row = pick(rows, dice, [], notLast(rows))!;
    const added = { ...row, revision: row.revision + 1 };
    rows.splice(rows.indexOf(row) + 1, 0, added);
    return { stream: row.stream, rules: ['hash', 'previous-hash'], revisions: [added.revision] };
  }),
  plain('two events are swapped', (rows, dice) => {
    const row = pick(rows, dice, [], notLast(rows))!;
    const next = ofStream(rows, row.stream)[row.revision + 1]!;
    const [one, other] = [rows.indexOf(row), rows.indexOf(next)];
    [rows[one], rows[other]] = [next, row];
    return { stream: row.stream, rules: ['revision'], revisions: [next.revision] };
  }),
  plain('the contents of two events are swapped', (rows, dice) => {
    const row = pick(rows, dice, [], notLast(rows))!;
    const next = ofStream(rows, row.stream)[row.revision + 1]!;
    const { type, data } = row;
    Object.assign(row, { type: next.type, data: next.data });
    Object.assign(next, { type, data });
    return row.data === next.data && row.type === next.type ? undefined : at(row, ['hash']);
  }),
  plain('an event stands twice', (rows, dice) => {
    const row = pick(rows, dice, [])!;
    rows.push({ ...row });
    return at(row, ['revision']);
  }),
  plain('the names of two streams are exchanged', (rows, dice) => {
    const one = pick(rows, dice, [], isUser)!;
    const other = pick(rows, dice, [], (row) => isUser(row) && row.stream !== one.stream);
    if (!other) return undefined;
    const [from, to] = [one.stream, other.stream];
    for (const row of rows) row.stream = row.stream === from ? to : row.stream === to ? from : row.stream;
    return { stream: from, rules: ['previous-hash'], revisions: [0] };
  }),
  plain('a stream is renamed', (rows, dice) => {
    const { stream } = pick(rows, dice, [])!;
    for (const row of rows) if (row.stream === stream) row.stream = `${stream}x`;
    return { stream: `${stream}x`, rules: ['previous-hash'], revisions: [0] };
  }),
  plain('a stream is named like no wallet', (rows, dice) => {
    const { stream } = pick(rows, dice, [])!;
    for (const row of rows) if (row.stream === stream) row.stream = `other-${stream}`;
    return { stream: `other-${stream}`, rules: ['stream'] };
  }),
  plain('metadata are changed', (rows, dice) => {
    const row = pick(rows, dice, [])!;
    editMeta(row, (metadata) => (metadata.actor = 'somebody else'));
    return at(row, ['hash']);
  }),
  plain('an id is changed', (rows, dice) => {
    const row = pick(rows, dice, [])!;
    row.id = row.id.replace(/^./, (digit) => (digit === 'a' ? 'b' : 'a'));
    return at(row, ['id']);
  }),
  plain('a hash is changed', (rows, dice) => {
    const row = pick(rows, dice, [])!;
    editMeta(row, (metadata) => (metadata.hash = 'ab'.repeat(32)));
    return at(row, ['hash']);
  }),
  plain('a previous hash is changed', (rows, dice) => {
    const row = pick(rows, dice, [])!;
    editMeta(row, (metadata) => (metadata.previousHash = 'ab'.repeat(32)));
    return at(row, ['previous-hash']);
  }),
  plain('the type of an event is changed', (rows, dice) => {
    const row = pick(rows, dice, ['MemberPermitted', 'MemberSuspended'])!;
    row.type = row.type === 'MemberPermitted' ? 'MemberSuspended' : 'MemberPermitted';
    return at(row, ['hash']);
  }),
  plain('a text is no JSON', (rows, dice) => {
    const row = pick(rows, dice, [])!;
    row.data = row.data.slice(0, -1);
    return at(row, ['canonical']);
  }),
];

export const SHAPE_KINDS: Kind[] = [
  resealed('data are written with a space', ['canonical'], (row) => (row.data = row.data.replace(':', ': '))),
  resealed('data are written in another order', ['canonical'], (row) => {
    const { at: first, ...others } = dataOf(row);
    row.data = JSON.stringify({ ...others, at: first });
  }),
  resealed('a member of the data stands twice', ['canonical'], (row) => (row.data = row.data.replace(/^\{"(\w+)":/, '{"$1":null,"$1":'))),
  plain('metadata are written in another order', (rows, dice) => {
    const row = pick(rows, dice, [])!;
    const { $causationId, ...others } = metaOf(row);
    row.metadata = JSON.stringify({ ...others, $causationId });
    return at(row, ['canonical']);
  }),
  resealed('a text of the metadata is a number', ['metadata'], (row) => editMeta(row, (metadata) => (metadata.client = 7))),
  resealed('metadata have an unknown name', ['metadata'], (row) => editMeta(row, (metadata) => (metadata.note = 'x'))),
  resealed('metadata lack the actor', ['metadata'], (row) => editMeta(row, (metadata) => delete metadata.actor)),
  resealed('the cause is another than the request', ['metadata'], (row) => editMeta(row, (metadata) => (metadata.$causationId = 'x'))),
  resealed('a key stands without the hash of its content', ['metadata'], (row) => editMeta(row, (metadata) => delete metadata.contentHash), (row) => metaOf(row).key !== undefined), // prettier-ignore
  resealed('a key stands beside a result', ['metadata'], (row) => editMeta(row, (metadata) => Object.assign(metadata, { key: 'k', contentHash: 'ab'.repeat(32) })), (row) => ['AllocationReceived', 'LimitReached', 'FreeAllowanceGranted', 'UserWalletOpened'].includes(row.type)), // prettier-ignore
  resealed('the type is unknown', ['type'], (row) => (row.type = 'TokensBurnt')),
  resealed('the type is of the other kind of wallet', ['type'], (row) => (row.type = isUser(row) ? 'TokensAllocated' : 'TokensUsed')),
  resealed('the version of the schema is unknown', ['schema-version'], (row) => editMeta(row, (metadata) => (metadata.schema = '2'))),
  resealed('data have an unknown field', ['schema'], (row) => edit(row, (data) => (data.extra = 1))),
  resealed('data lack a field', ['schema'], (row) => edit(row, (data) => delete data.balanceAfter), (row) => dataOf(row).balanceAfter !== undefined), // prettier-ignore
  resealed('tokens are a fraction', ['schema'], (row) => edit(row, (data) => (data.tokens += 0.5)), (row) => 'tokens' in dataOf(row)), // prettier-ignore
  resealed('the clock goes back', ['time'], (row) => edit(row, (data) => (data.at = '2020-01-01T00:00:00.000Z')), (row) => row.revision > 0), // prettier-ignore
  plain('revisions leave a gap', (rows, dice) => {
    const row = pick(rows, dice, [])!;
    for (const one of ofStream(rows, row.stream).slice(row.revision)) one.revision += 1;
    reseal(rows, row.stream, true);
    return at(row, ['revision']);
  }),
];

/** What leaves the store consistent. */
export const CERTIFICATE_KINDS: Kind[] = [
  certified('a stream is cut off at its end', (rows, dice) => {
    const row = pick(rows, dice, [], (one) => one.revision > 0)!;
    const gone = ofStream(rows, row.stream).slice(row.revision);
    for (const one of gone) rows.splice(rows.indexOf(one), 1);
    return { stream: row.stream, rules: ['certificate'] };
  }),
  certified('a whole stream is removed', (rows, dice) => {
    const row = pick(rows.slice(1), dice, [], (one) => one.stream !== rows[0]!.stream)!;
    for (const one of ofStream(rows, row.stream)) rows.splice(rows.indexOf(one), 1);
    return { stream: row.stream, rules: ['certificate'] };
  }),
  certified('a history is written anew, and adds up', (rows, dice) => {
    const row = pick(rows, dice, ['TokensPurchased'])!;
    edit(row, (data) => (data.paymentReference = 'another payment'));
    reseal(rows, row.stream);
    return { stream: row.stream, rules: ['certificate'] };
  }),
  certified('an event is put in before the end of the certificate', (rows, dice) => {
    const row = pick(rows, dice, ['OrganisationWalletOpened'])!;
    const last = ofStream(rows, row.stream).at(-1)!;
    const zone = {
      ...last,
      revision: last.revision + 1,
      type: 'TimeZoneSet',
      data: JSON.stringify({ at: dataOf(last).at, timeZone: 'UTC' }),
    };
    editMeta(zone, (metadata) => {
      delete metadata.key;
      delete metadata.contentHash;
    });
    // In place of an event of another wallet's end, so that the store is not longer than it was.
    rows.splice(rows.indexOf(last) + 1, 0, zone);
    rows.pop();
    reseal(rows, row.stream);
    return rows.includes(zone) ? { stream: row.stream, rules: ['certificate'] } : undefined;
  }),
  certified('the store is rolled back', (rows, dice) => {
    const kept = Math.max(1, dice.below(rows.length - 1));
    const first = rows[kept]!;
    rows.splice(kept);
    return { stream: first.stream, rules: ['certificate'] };
  }),
  certified('the store is rolled back and goes on in another way', (rows, dice) => {
    const kept = Math.max(1, dice.below(rows.length - 1));
    const gone = rows.splice(kept);
    const opened: Row[] = gone.map((row, index) => ({ ...row, stream: `userWallet-new${index}`, type: 'UserWalletOpened', revision: 0 }));
    for (const row of opened) {
      row.data = JSON.stringify({ at: dataOf(row).at, balanceAfter: { balance: 0 }, freeTokensPerMonth: 0, userId: row.stream.slice(11) });
      editMeta(row, (metadata) => {
        delete metadata.key;
        delete metadata.contentHash;
      });
      rows.push(row);
      reseal(rows, row.stream);
    }
    return { stream: gone[0]!.stream, rules: ['certificate'] };
  }),
];
