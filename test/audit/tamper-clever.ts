import { at, changed, dataOf, edit, type Fields, appendCopy, type Kind, pick, reseal, shiftBalances } from './tamper-forging';

/** A forger who makes every hash and id of a stream anew: only arithmetic, the other streams and what is unique for ever are left. */

const drew = (data: Fields): boolean => data.considered.some((one: Fields) => one.tokens > 0);
const drawn = (data: Fields): Fields => data.considered.find((one: Fields) => one.tokens > 0);

export const AMOUNT_KINDS: Kind[] = [
  changed('the tokens of a usage', ['TokensUsed'], ['amounts'], (data) => (data.tokens += 1)),
  changed('what a usage charged', ['TokensUsed'], ['balance', 'draw', 'amounts'], (data) => {
    data.tokens += 1;
    data.charged[0].tokens += 1;
  }),
  changed('the balance after an event', [], ['balance'], (data) => (data.balanceAfter.balance += 1), (data) => data.balanceAfter !== undefined), // prettier-ignore
  {
    name: 'the tokens of a usage, with every balance behind it',
    by: 'audit',
    forge(rows, dice) {
      const row = pick(
        rows,
        dice,
        ['TokensUsed'],
        (one) => drew(dataOf(one)) && dataOf(one).charged.length === 1 && dataOf(one).tokens > 1,
      );
      if (!row) return undefined;
      edit(row, (data) => {
        data.tokens -= 1;
        data.charged[0].tokens -= 1;
        drawn(data).tokens -= 1;
        delete data.variableCostEuros;
      });
      const { organisationId } = dataOf(row).charged[0];
      shiftBalances(rows, row, (after) => {
        after.balance += 1;
        for (const one of after.allocated ?? []) if (one.organisationId === organisationId) one.tokens += 1;
      });
      reseal(rows, row.stream);
      return at(row, ['window']);
    },
  },
  changed('the tokens of a purchase', ['TokensPurchased'], ['price'], (data) => {
    data.tokens += 1;
    data.balanceAfter.balance += 1;
  }),
  changed('the price of a purchase', ['TokensPurchased'], ['price'], (data) => (data.priceCents -= 1)),
  changed('the discount of a purchase', ['TokensPurchased'], ['price'], (data) => (data.discountPercent += 5)),
  changed('the debt that a purchase paid', ['TokensPurchased'], ['debt'], (data) => (data.owedPaid += 1)),
  changed('the debt after a bill', ['BillCharged', 'StorageAccrued'], ['debt'], (data) => (data.owed += 1)),
  changed('what a bill costs', ['BillCharged'], ['bill'], (data) => (data.breakdown.billablePlaces += 1)),
  changed('the bytes of a day', ['StorageAccrued'], ['storage'], (data) => (data.bytes += 1_000), (data) => data.bytes > 1_000_000_000), // prettier-ignore
  changed('what storage carries', ['StorageAccrued'], ['storage'], (data) => (data.carriedTokens = '0.5'), (data) => data.carriedTokens !== '0.5'), // prettier-ignore
  changed('what lapsed', ['FreeAllowanceGranted'], ['grant'], (data) => (data.lapsed += 1)),
  changed('what was granted', ['FreeAllowanceGranted'], ['grant'], (data) => {
    data.tokens += 5;
    data.balanceAfter.free.tokens += 5;
    data.balanceAfter.balance += 5;
  }),
  changed('a day of record that no calendar has', [], ['calendar'], (data) => (data.at = data.at.replace(/-\d\d-\d\dT/, '-02-30T'))),
  changed('a day of usage that no calendar has', ['TokensUsed'], ['calendar'], (data) => (data.occurredAt = data.occurredAt.replace(/-\d\d-\d\dT/, '-04-31T'))), // prettier-ignore
  changed('a window that no calendar has', ['TokensUsed'], ['calendar'], (data) => (data.considered[0].windows.daily.window = '2025-02-29'), (data) => data.considered.length > 0), // prettier-ignore
  changed('the month of free tokens goes back', ['FreeAllowanceGranted'], ['month'], (data) => (data.balanceAfter.free.month = data.month = '2020-01')), // prettier-ignore
  changed('what an allowance added', ['FreeAllowanceSet'], ['allowance'], (data) => (data.added += 1)),
  {
    name: 'a grant is left out',
    by: 'audit',
    forge(rows, dice) {
      const row = pick(rows, dice, ['FreeAllowanceGranted'], (one) => dataOf(one).tokens > 0 && dataOf(one).at.slice(8, 10) > '02' && dataOf(one).at.slice(8, 10) < '28'); // prettier-ignore
      if (!row) return undefined;
      rows.splice(rows.indexOf(row), 1);
      reseal(rows, row.stream);
      return at(row, ['grant']);
    },
  },
];

export const POLICY_KINDS: Kind[] = [
  changed('a limit that was not in force', ['TokensUsed'], ['policy'], (data) => (data.considered[0].windows.daily.limit = 1_000_000), (data) => data.considered.length > 0), // prettier-ignore
  changed('less used than was', ['TokensUsed'], ['window'], (data) => (drawn(data).windows.daily.used -= 1), drew),
  changed('a draw above its limit', ['TokensUsed'], ['draw', 'limit'], (data) => {
    const one = drawn(data);
    const more = one.windows.daily.limit - one.windows.daily.used + 1;
    data.tokens += more;
    one.tokens += more;
    one.windows.daily.used += more;
    one.windows.monthly.used += more;
    data.charged.find((charge: Fields) => charge.organisationId === one.organisationId).tokens += more;
    data.balanceAfter.balance -= more;
    for (const after of data.balanceAfter.allocated) if (after.organisationId === one.organisationId) after.tokens -= more;
    delete data.variableCostEuros;
  }, (data) => drew(data) && drawn(data).windows.daily.limit !== null && data.balanceAfter.allocated[0].tokens > drawn(data).windows.daily.limit - drawn(data).windows.daily.used), // prettier-ignore
  changed('a window of another day', ['TokensUsed'], ['window'], (data) => (data.considered[0].windows.daily.window = '2020-01-01'), (data) => data.considered.length > 0), // prettier-ignore
  changed('a revision that was not there', ['TokensUsed'], ['policy-revision'], (data) => (data.considered[0].revision += 1_000), (data) => data.considered.length > 0), // prettier-ignore
  changed('a status that was not so', ['TokensUsed'], ['policy'], (data) => (data.considered[0].status = data.considered[0].status === 'removed' ? 'permitted' : 'removed'), (data) => data.considered.length > 0), // prettier-ignore
  changed('a usage of too long ago', ['TokensUsed'], ['late'], (data) => (data.occurredAt = '2020-01-01T00:00:00.000Z')),
  changed('the price of a usage', ['TokensUsed'], ['usage-price'], (data) => (data.variableCostEuros = '9.99')),
  changed('free tokens of another month', ['TokensUsed'], ['draw'], (data) => (data.freeMonth = '2020-01'), (data) => data.freeMonth !== undefined), // prettier-ignore
  {
    name: 'a reached limit is kept quiet',
    by: 'audit',
    forge(rows, dice) {
      const row = pick(rows, dice, ['LimitReached'], (one) => dataOf(one).by === 'draw');
      if (!row) return undefined;
      rows.splice(rows.indexOf(row), 1);
      reseal(rows, row.stream);
      return { stream: row.stream, rules: ['limit-reached'], revisions: [row.revision, row.revision - 1] };
    },
  },
  {
    name: 'a limit is reached twice',
    by: 'audit',
    forge(rows, dice) {
      const row = pick(rows, dice, ['LimitReached']);
      if (!row) return undefined;
      const copy = appendCopy(rows, row, (data) => (data.by = 'refusal'));
      reseal(rows, row.stream);
      return at(copy, ['limit-reached', 'window', 'policy']);
    },
  },
  {
    name: 'a suspended member is resumed who was not',
    by: 'audit',
    forge(rows, dice) {
      const row = pick(rows, dice, ['MemberPermitted'], (one) => one.revision < 5);
      if (!row) return undefined;
      row.type = 'MemberResumed';
      reseal(rows, row.stream);
      return at(row, ['member']);
    },
  },
  changed('a limit of nobody', ['LimitSet'], ['member'], (data) => (data.overrides[0].userId = 'nobody'), (data) => data.overrides?.length > 0), // prettier-ignore
];
