import { parseArgs } from 'node:util';
import {
  COUNT_MAX,
  type Estimate,
  estimate,
  type EstimateInput,
  EUROS_PER_MEMBER_PATTERN,
  GIGABYTES_PATTERN,
  LINES_MAX,
} from '@ledger/wallet';
import { BadSetting, priceTable, type Environment } from '../settings';

const USAGE =
  'Usage: npm run estimate -- [--campuses 75,75] [--courses 30,30,30,30] [--storage-gigabytes 120] [--members 150] [--euros-per-member 5.00] [--json]';

/** What was asked for cannot be done; the message says why. */
class BadArguments extends Error {}

/** What is left out is not there: no campus, no course, no storage, no members. */
function read(args: string[]): { input: EstimateInput; json: boolean } {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args,
    strict: true,
    options: {
      campuses: text,
      courses: text,
      'storage-gigabytes': text,
      members: text,
      'euros-per-member': text,
      json: { type: 'boolean' },
    },
  });
  const input = {
    campuses: counts('campuses', values.campuses),
    courses: counts('courses', values.courses),
    storageGigabytes: decimal('storage-gigabytes', values['storage-gigabytes'] ?? '0', GIGABYTES_PATTERN, 'such as 120 or 0.5'),
    members: count('members', values.members ?? '0'),
    eurosPerMember: decimal('euros-per-member', values['euros-per-member'] ?? '0', EUROS_PER_MEMBER_PATTERN, 'such as 5.00'),
  };
  return { input, json: values.json === true };
}

function counts(name: string, list: string | undefined): number[] {
  const each = list === undefined ? [] : list.split(',');
  if (each.length > LINES_MAX) throw new BadArguments(`--${name} takes at most ${LINES_MAX} numbers.`);
  return each.map((text) => count(name, text));
}

function count(name: string, text: string): number {
  const number = /^\d{1,8}$/.test(text) ? Number(text) : NaN;
  if (!(number <= COUNT_MAX)) throw new BadArguments(`--${name} takes whole numbers from 0 to ${COUNT_MAX}; "${text}" is none.`);
  return number;
}

function decimal(name: string, text: string, pattern: RegExp, example: string): string {
  if (!pattern.test(text)) throw new BadArguments(`--${name} takes a decimal ${example}; "${text}" is none.`);
  return text;
}

const whole = (tokens: number): string => tokens.toLocaleString('en');
const euros = (cents: number): string => `${Math.trunc(cents / 100).toLocaleString('en')}.${String(cents % 100).padStart(2, '0')} EUR`;
const numbers = (count: number, one: string, many: string): string => `${whole(count)} ${count === 1 ? one : many}`;

/** A line for what is charged, with what it is charged for; then what was free, and why. */
function table({ hosting, storage, memberAi, free, ...total }: Estimate): string {
  const { billableCampuses, billableCourses, billablePlaces } = hosting;
  const { members, tokensPerMember, conversationsPerMember } = memberAi;
  const charged = `${numbers(billableCampuses, 'campus', 'campuses')} and ${numbers(billableCourses, 'course', 'courses')} beyond the free ones`;
  const rows = [
    ['hosting', whole(hosting.tokens), `${numbers(billablePlaces, 'place', 'places')} on ${charged}`],
    ['storage', whole(storage.tokens), `${storage.billableGigabytes} GB beyond the free one`],
    [
      'AI of members',
      whole(memberAi.tokens),
      `${whole(members)} x ${whole(tokensPerMember)}: ${whole(conversationsPerMember)} conversations each`,
    ],
    ['a month', whole(total.tokensPerMonth), `${euros(total.listPriceCentsPerMonth)} at list price`],
    ['a year', whole(total.tokensPerMonth * 12), `${euros(total.listPriceCentsPerYear)} at list price`],
  ] as const;
  const width = Math.max(...rows.map(([, tokens]) => tokens.length));
  const line = ([name, tokens, why]: readonly [string, string, string]) => `${name.padEnd(13)}  ${tokens.padStart(width)}  ${why}`;
  const rule = '-'.repeat(13 + 2 + width);
  return [
    `${'tokens'.padStart(15 + width)}`,
    ...rows.slice(0, 3).map(line),
    rule,
    ...rows.slice(3).map(line),
    ...free.map(({ what, amount, why }) => `free: ${amount} of the ${what}. ${why}`),
  ].join('\n');
}

/** Prints what a month would cost. Answers the exit status: 2 when it was asked wrongly. */
export function printEstimate(args: string[], env: Environment, out: (line: string) => void, err: (line: string) => void): number {
  try {
    const { input, json } = read(args);
    const answer = estimate(input, priceTable(env));
    out(json ? JSON.stringify(answer, null, 2) : table(answer));
    return 0;
  } catch (error) {
    const asked = error instanceof BadArguments || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS');
    if (!asked && !(error instanceof BadSetting)) throw error;
    err((error as Error).message);
    if (asked) err(USAGE);
    return 2;
  }
}

if (require.main === module) process.exitCode = printEstimate(process.argv.slice(2), process.env, console.log, console.error);
