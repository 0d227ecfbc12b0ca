import {
  appendCopy,
  at,
  bucketsAfter,
  changed,
  dataOf,
  edit,
  editMeta,
  type Fields,
  isUser,
  type Kind,
  metaOf,
  ofStream,
  pick,
  reseal,
  shiftBalances,
} from './tamper-forging';
import { type Row, uuid } from './tamper-store';

/** Forgeries with hashes made anew that other streams, and what is unique for ever, give away. */

/** A line's tokens are changed with the balances of the organisation, so that its own stream adds up. */
function raiseLine(rows: Row[], row: Row): void {
  edit(row, (data) => {
    data.lines[0][1] += 1;
    data.tokens += 1;
    data.tokensTotal += 1;
  });
  shiftBalances(rows, row, (after) => {
    after.available -= 1;
    after.balance -= 1;
  });
  reseal(rows, row.stream);
}

export const CROSS_KINDS: Kind[] = [
  {
    name: 'an allocation says more than was received',
    by: 'audit',
    forge(rows, dice) {
      const received = pick(rows, dice, ['AllocationReceived'], (one) => allocationOf(rows, one)?.lines === 1 || firstLine(rows, one));
      const row = received && allocationOf(rows, received)?.row;
      if (!row) return undefined;
      raiseLine(rows, row);
      return at(received, ['received']);
    },
  },
  {
    name: 'what was received is more than was allocated',
    by: 'audit',
    forge(rows, dice) {
      const row = pick(rows, dice, ['AllocationReceived']);
      if (!row) return undefined;
      const { organisationId } = dataOf(row);
      edit(row, (data) => (data.tokens += 1));
      shiftBalances(rows, row, (after) => {
        after.balance += 1;
        for (const one of after.allocated ?? []) if (one.organisationId === organisationId) one.tokens += 1;
      });
      reseal(rows, row.stream);
      return at(row, ['received']);
    },
  },
  changed(
    'received from an allocation that never was',
    ['AllocationReceived'],
    ['received'],
    (data) => (data.allocationId = uuid(9_999_999)),
  ),
  changed('received out of turn', ['AllocationReceived'], ['number'], (data) => (data.number += 1)),
  {
    name: 'an allocation is received twice',
    by: 'audit',
    forge(rows, dice) {
      const row = pick(rows, dice, ['AllocationReceived']);
      if (!row) return undefined;
      const buckets = bucketsAfter(rows, row.stream);
      const received = ofStream(rows, row.stream).filter((one) => one.type === 'AllocationReceived' && dataOf(one).organisationId === dataOf(row).organisationId); // prettier-ignore
      const copy = appendCopy(rows, row, (data) => {
        data.number = received.length + 1;
        const held = buckets.allocated.get(data.organisationId) ?? 0;
        data.balanceAfter = { allocated: [{ organisationId: data.organisationId, tokens: held + data.tokens }], balance: buckets.balance + data.tokens }; // prettier-ignore
      });
      reseal(rows, row.stream);
      return at(copy, ['received']);
    },
  },
  {
    name: 'an allocation is taken out of the organisation, not of its members',
    by: 'audit',
    forge(rows, dice) {
      const received = pick(rows, dice, ['AllocationReceived']);
      const row = received && allocationOf(rows, received)?.row;
      if (!row) return undefined;
      rows.splice(rows.indexOf(row), 1);
      const { tokens } = dataOf(row);
      const next = ofStream(rows, row.stream)[row.revision];
      if (next) shiftBalances(rows, next, (after) => void ((after.available += tokens), (after.balance += tokens)));
      reseal(rows, row.stream);
      return at(received, ['received']);
    },
  },
  {
    name: 'a key has two results',
    by: 'audit',
    forge(rows, dice) {
      const one = pick(rows, dice, [], (row) => metaOf(row).key !== undefined);
      const other = one && pick(rows, dice, [], (row) => row.stream === one.stream && row.revision > one.revision + 2 && metaOf(row).key !== undefined); // prettier-ignore
      if (!other) return undefined;
      const { key } = metaOf(one);
      editMeta(other, (metadata) => (metadata.key = key));
      reseal(rows, one.stream);
      return at(other, ['unique-key']);
    },
  },
  {
    name: 'a payment credits twice',
    by: 'audit',
    forge(rows, dice) {
      const one = pick(rows, dice, ['TokensPurchased']);
      const other = one && pick(rows, dice, ['TokensPurchased'], (row) => row.stream === one.stream && row.revision > one.revision);
      if (!other) return undefined;
      edit(other, (data) => (data.paymentReference = dataOf(one).paymentReference));
      reseal(rows, one.stream);
      return at(other, ['unique-payment']);
    },
  },
  {
    name: 'a generated id is used twice',
    by: 'audit',
    forge(rows, dice) {
      const one = pick(rows, dice, ['TokensUsed']);
      const other = one && pick(rows.slice(rows.indexOf(one) + 1), dice, ['TokensUsed'], (row) => !rows.some((back) => back.type === 'UsageReversed' && [dataOf(one).usageId, dataOf(row).usageId].includes(dataOf(back).usageId))); // prettier-ignore
      if (!other) return undefined;
      edit(other, (data) => (data.usageId = dataOf(one).usageId));
      reseal(rows, other.stream);
      return at(other, ['unique-id']);
    },
  },
  {
    name: 'a usage is reversed twice',
    by: 'audit',
    forge(rows, dice) {
      const row = pick(rows, dice, ['UsageReversed']);
      if (!row) return undefined;
      const buckets = bucketsAfter(rows, row.stream);
      const copy = appendCopy(rows, row, (data) => {
        data.windows = [];
        const gained = data.tokens - data.lapsed;
        data.balanceAfter = { ...data.balanceAfter, balance: buckets.balance + gained };
      });
      reseal(rows, row.stream);
      return at(copy, ['reversal']);
    },
  },
  changed('a reversal of a usage that never was', ['UsageReversed'], ['reversal'], (data) => (data.usageId = uuid(9_999_999))),
  changed('a reversal to another source', ['UsageReversed'], ['reversal', 'balance'], (data) => {
    data.returned = [{ source: 'purchased', tokens: data.tokens - data.lapsed }];
    data.balanceAfter.purchased = (data.balanceAfter.purchased ?? 0) + data.tokens;
  }, (data) => data.returned.some((one: Fields) => one.source === 'allocated')), // prettier-ignore
  ...['BillCharged', 'StorageAccrued', 'BillDeclined'].map((type): Kind => ({
    name: `${type} stands twice`,
    by: 'audit',
    forge(rows, dice) {
      const row = pick(rows, dice, [type]);
      if (!row) return undefined;
      const copy = appendCopy(rows, row, (data) => {
        if (data.billId) data.billId = uuid(8_888_888);
        const { balance, free } = bucketsAfter(rows, row.stream);
        data.balanceAfter = isUser(row) ? { balance, ...(free?.tokens > 0 ? { free } : {}) } : { available: balance, balance };
        if (data.charged) Object.assign(data, { charged: [], chargedTokens: 0 });
      });
      reseal(rows, row.stream);
      return at(copy, ['unique-bill']);
    },
  })),
];

function allocationOf(rows: readonly Row[], received: Row): { row: Row; lines: number } | undefined {
  const { allocationId } = dataOf(received);
  const row = rows.find((one) => one.type === 'TokensAllocated' && dataOf(one).allocationId === allocationId);
  return row && { row, lines: dataOf(row).lines.length };
}

function firstLine(rows: readonly Row[], received: Row): boolean {
  const found = allocationOf(rows, received);
  return found !== undefined && dataOf(found.row).lines[0][0] === received.stream.slice('userWallet-'.length);
}
