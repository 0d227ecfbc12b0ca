import type { Charge, Considered, EventOf, MemberStatus, UserBalance } from './events';

/**
 * The events that a ledger is full of, in one look each: an expression that matches is at once the proof that the text is canonical
 * JSON and fits its schema, and what takes it apart, in less than half the time of a parser. It matches less than the schema allows,
 * never more (`verify-facts.spec.ts` holds it to the slow way); what it does not match goes the slow way.
 *
 * A part of a text keeps the whole of it in memory, so what wallets remember (usages, organisations) is copied here; whoever keeps
 * another part for long copies it too.
 */

const N = '0|[1-9][0-9]{0,14}';
const SOME = '[1-9][0-9]{0,11}';
const FREE = '0|[1-9][0-9]{0,8}';
const ID = '(?!\\.{1,2}")[A-Za-z0-9._~-]{1,64}';
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';
const MONTH = '[0-9]{4}-(?:0[1-9]|1[0-2])';
const DAY = `${MONTH}-(?:0[1-9]|[12][0-9]|3[01])`;
const INSTANT = `${DAY}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z`;
const WORDS = '[ !#-[\\]-~]{1,200}';
const HELD = '0|[1-9][0-9]{0,11}';

const BALANCE = `"balanceAfter":\\{(?:"allocated":\\[\\{"organisationId":"(${ID})","tokens":(${HELD})\\}\\],)?"balance":(${N})(?:,"free":\\{"month":"(${MONTH})","tokens":(${FREE})\\})?(?:,"purchased":(${HELD}))?\\}`;

/** One copy of each name of an organisation for all events that speak of it. */
const names = new Map<string, string>();
const NAMES_MAX = 10_000;

function named(organisationId: string): string {
  let name = names.get(organisationId);
  if (name === undefined) {
    name = JSON.parse(`"${organisationId}"`) as string;
    if (names.size >= NAMES_MAX) names.clear();
    names.set(name, name);
  }
  return name;
}

/** Takes the six groups of BALANCE, from `first` on. */
function balanceOf(match: RegExpExecArray, first: number): UserBalance {
  const after: UserBalance = { balance: Number(match[first + 2]) };
  const organisationId = match[first];
  if (organisationId !== undefined) after.allocated = [{ organisationId: named(organisationId), tokens: Number(match[first + 1]) }];
  const month = match[first + 3];
  if (month !== undefined) after.free = { tokens: Number(match[first + 4]), month };
  const purchased = match[first + 5];
  if (purchased !== undefined) after.purchased = Number(purchased);
  return after;
}

const windowOf = (id: string): string => `\\{"limit":(null|${N}),"used":(${N}),"window":"(${id})"\\}`;

/** Of a usage with one charge and at most one organisation considered. */
const USED = new RegExp(
  `^\\{"at":"(${INSTANT})",${BALANCE},` +
    `"charged":\\[(?:\\{"organisationId":"(${ID})","source":"allocated","tokens":(${SOME})\\}|\\{"source":"(free|purchased)","tokens":(${SOME})\\})\\],` +
    `"considered":\\[(?:\\{"organisationId":"(${ID})","revision":(${N}),"status":"(permitted|suspended|removed)","tokens":(${HELD}),"usable":(true|false),"windows":\\{"daily":${windowOf(DAY)},"monthly":${windowOf(MONTH)}\\}\\})?\\],` +
    `(?:"freeMonth":"(${MONTH})",)?"occurredAt":"(${INSTANT})"(?:,"reference":"(${WORDS})")?(?:,"service":"(${WORDS})")?,"tokens":(${SOME}),"usageId":("${UUID}")(?:,"variableCostEuros":"([0-9]{1,9}(?:\\.[0-9]{1,12})?)")?\\}$`,
);

function usedOf(text: string): EventOf<'TokensUsed'>['data'] | undefined {
  const match = USED.exec(text);
  if (!match) return undefined;
  const [freeMonth, occurredAt = '', reference, service, tokens, usageId = '""', variableCostEuros] = [match[23], match[24], match[25], match[26], match[27], match[28], match[29]]; // prettier-ignore
  const organisationId = match[8];
  const charge: Charge =
    organisationId === undefined
      ? { source: match[10] as 'free' | 'purchased', tokens: Number(match[11]) }
      : { source: 'allocated', organisationId: named(organisationId), tokens: Number(match[9]) };
  const data: EventOf<'TokensUsed'>['data'] = {
    at: match[1]!,
    // A wallet remembers it.
    usageId: JSON.parse(usageId) as string,
    tokens: Number(tokens),
    occurredAt,
    charged: [charge],
    considered: match[12] === undefined ? [] : [consideredOf(match)],
    balanceAfter: balanceOf(match, 2),
  };
  if (variableCostEuros !== undefined) data.variableCostEuros = variableCostEuros;
  if (service !== undefined) data.service = service;
  if (reference !== undefined) data.reference = reference;
  if (freeMonth !== undefined) data.freeMonth = freeMonth;
  return data;
}

const limitOf = (text: string | undefined): number | null => (text === 'null' ? null : Number(text));

const consideredOf = (match: RegExpExecArray): Considered => ({
  organisationId: named(match[12]!),
  revision: Number(match[13]),
  status: match[14] as MemberStatus,
  tokens: Number(match[15]),
  usable: match[16] === 'true',
  windows: {
    daily: { limit: limitOf(match[17]), used: Number(match[18]), window: match[19]! },
    monthly: { limit: limitOf(match[20]), used: Number(match[21]), window: match[22]! },
  },
});

const RECEIVED = new RegExp(
  `^\\{"allocationId":"(${UUID})","at":"(${INSTANT})",${BALANCE},"number":([1-9][0-9]{0,14}),"organisationId":"(${ID})","tokens":(${SOME})\\}$`,
);

function receivedOf(text: string): EventOf<'AllocationReceived'>['data'] | undefined {
  const match = RECEIVED.exec(text);
  if (!match) return undefined;
  const [, allocationId = '', at = ''] = match;
  return {
    at,
    allocationId,
    number: Number(match[9]),
    organisationId: named(match[10]!),
    tokens: Number(match[11]),
    balanceAfter: balanceOf(match, 3),
  };
}

const OPENED = new RegExp(`^\\{"at":"(${INSTANT})",${BALANCE},"freeTokensPerMonth":(${FREE}),"userId":"(${ID})"\\}$`);

function openedOf(text: string): EventOf<'UserWalletOpened'>['data'] | undefined {
  const match = OPENED.exec(text);
  return match ? { at: match[1]!, userId: match[9]!, freeTokensPerMonth: Number(match[8]), balanceAfter: balanceOf(match, 2) } : undefined;
}

const GRANTED = new RegExp(`^\\{"at":"(${INSTANT})",${BALANCE},"lapsed":(${FREE}),"month":"(${MONTH})","tokens":(${FREE})\\}$`);

function grantedOf(text: string): EventOf<'FreeAllowanceGranted'>['data'] | undefined {
  const match = GRANTED.exec(text);
  return match ? { at: match[1]!, month: match[9]!, tokens: Number(match[10]), lapsed: Number(match[8]), balanceAfter: balanceOf(match, 2) } : undefined; // prettier-ignore
}

const GIVEN_BACK = `\\{"organisationId":"(${ID})","used":(${N}),"window":"(${DAY}|${MONTH})"\\}`;

/** Of a reversal that returned one charge, with the windows of at most one organisation. */
const REVERSED = new RegExp(
  `^\\{"at":"(${INSTANT})",${BALANCE},"lapsed":(${FREE})(?:,"reason":"(${WORDS})")?,` +
    `"returned":\\[(?:\\{"organisationId":"(${ID})","source":"allocated","tokens":(${SOME})\\}|\\{"source":"(free|purchased)","tokens":(${SOME})\\})\\],` +
    `"tokens":(${SOME}),"usageId":("${UUID}"),"windows":\\[(?:${GIVEN_BACK}(?:,${GIVEN_BACK})?)?\\]\\}$`,
);

function reversedOf(text: string): EventOf<'UsageReversed'>['data'] | undefined {
  const match = REVERSED.exec(text);
  if (!match) return undefined;
  const [organisationId, tokens, usageId = '""'] = [match[10], Number(match[14]), match[15]];
  const returned: Charge =
    organisationId === undefined
      ? { source: match[12] as 'free' | 'purchased', tokens: Number(match[13]) }
      : { source: 'allocated', organisationId: named(organisationId), tokens: Number(match[11]) };
  const windows: EventOf<'UsageReversed'>['data']['windows'] = [];
  for (const first of [16, 19])
    if (match[first] !== undefined)
      windows.push({ organisationId: named(match[first]), used: Number(match[first + 1]), window: match[first + 2]! });
  const data = {
    at: match[1]!,
    usageId: JSON.parse(usageId) as string,
    tokens,
    returned: [returned],
    lapsed: Number(match[8]),
    windows,
    balanceAfter: balanceOf(match, 2),
  };
  return match[9] === undefined ? data : { ...data, reason: match[9] };
}

/** The data of a usual event of a user, taken from its text; undefined when it is not usual. */
export function usualData(type: string, text: string): object | undefined {
  switch (type) {
    case 'TokensUsed':
      return usedOf(text);
    case 'AllocationReceived':
      return receivedOf(text);
    case 'UsageReversed':
      return reversedOf(text);
    case 'UserWalletOpened':
      return openedOf(text);
    case 'FreeAllowanceGranted':
      return grantedOf(text);
    default:
      return undefined;
  }
}
