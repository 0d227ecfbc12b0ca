import type { AddingUp } from './adding-up';
import { balanceOf, type Books } from './books';
import type { Day } from './day';
import type { Recomputed } from './recompute';
import { table, type Cell } from './table';

const TOP_MEMBERS = 10;
const BLOCKED_SHOWN = 15;

export interface Outcome {
  day: Day;
  reads: Books;
  events: Recomputed;
  result: AddingUp;
  seconds: number;
  retries: number;
}

/** The end of the day as tables, each under its sentence. */
export function printedReport(outcome: Outcome, bold: (text: string) => string): string {
  const section = (title: string, body: string) => `\n${bold(title)}\n\n${body}\n`;
  return [
    section(
      'What the organisations hold',
      table(['organisation', 'time zone', 'members', 'available', 'with members', 'in transit'], organisationRows(outcome)),
    ),
    section(
      'Members who used most',
      table(['member', 'conversations', 'tokens used', 'balance', 'of it bought', 'refused'], memberRows(outcome)),
    ),
    section('Who was blocked by which limit', blockedTable(outcome)),
    section('Why conversations were refused', table(['reason', 'refusals'], refusalRows(outcome))),
    section('What was billed', table(['owner', 'for', 'costs', 'paid', 'owed', 'outcome'], billRows(outcome))),
    section('Rates reached', table(['measured', 'reached'], rateRows(outcome))),
    section('Does it add up?', table(['tokens', 'answers', 'reads', 'events'], outcome.result.rows)),
    verdict(outcome),
  ].join('\n');
}

export function verdict({ result, events }: Outcome): string {
  if (result.faults.length > 0) return `It does not add up: ${result.faults.join(' ')}`;
  return (
    `It adds up to the token: ${result.wallets} wallets, the same by answers, reads and ${events.events.toLocaleString('en')} events ` +
    `of ${events.streams} streams; issued = held + in transit + spent + lapsed; no limit was passed, no bill was charged twice.`
  );
}

function organisationRows({ day, reads }: Outcome): Cell[][] {
  return day.school.organisations.map(({ id, timeZone, members }) => {
    const { available, inTransit } = reads.organisations.get(id)!;
    let withMembers = 0;
    for (const user of reads.users.values()) withMembers += user.allocated.get(id) ?? 0;
    return [id, timeZone, members.length, available, withMembers, inTransit];
  });
}

function memberRows({ day, reads }: Outcome): Cell[][] {
  const refusals = new Map<string, number>();
  for (const { userId } of day.school.usages) refusals.set(userId, (refusals.get(userId) ?? 0) + 1);
  return [...day.tally.usages]
    .sort(([, a], [, b]) => b.tokens - a.tokens)
    .slice(0, TOP_MEMBERS)
    .map(([userId, { count, tokens }]) => {
      const wallet = reads.users.get(userId)!;
      return [userId, count, tokens, balanceOf(wallet), wallet.purchased, refusals.get(userId)! - count];
    });
}

function blockedTable({ day }: Outcome): string {
  const blocked = [...day.tally.blocked.values()].sort((a, b) => b.refusals - a.refusals);
  if (blocked.length === 0) return '  Nobody.';
  const rows = blocked
    .slice(0, BLOCKED_SHOWN)
    .map(({ userId, organisationId, period, source, limit, used, remaining, refusals, resetsAt }) => [
      userId,
      organisationId,
      `${period} of the ${source}`,
      limit,
      used,
      remaining,
      refusals,
      resetsAt,
    ]);
  const head = ['member', 'organisation', 'limit', 'tokens', 'used', 'remaining', 'refusals', 'resets at'];
  const members = new Set(blocked.map(({ userId }) => userId)).size;
  const more = blocked.length - rows.length;
  return `  ${members} of ${day.school.byRank.length} members.\n\n${table(head, rows)}` + (more > 0 ? `\n  and ${more} more` : '');
}

const billRows = ({ day }: Outcome): Cell[][] =>
  day.bills.map(({ owner, what, costs, paid, owed, outcome }) => [owner, what, String(costs ?? ''), paid, owed, outcome]);

const refusalRows = ({ day }: Outcome): Cell[][] => [...day.tally.refusals].sort(([, a], [, b]) => b - a);

function rateRows({ day, seconds, retries }: Outcome): Cell[][] {
  const { usages, usagesPerSecond, p50, p99, allocation } = day.rates;
  return [
    ['conversations charged over HTTP', `${usages.toLocaleString('en')}, ${usagesPerSecond.toLocaleString('en')} per second`],
    ['their latency', `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`],
    ...(allocation
      ? [
          [
            `allocation of ${allocation.lines} lines`,
            `decided in ${allocation.decided.toFixed(0)} ms, settled in ${allocation.settled.toFixed(0)} ms`,
          ],
        ]
      : []),
    ['asked again (429, 503, lost connections)', String(retries)],
    ['the whole day', `${seconds.toFixed(1)} s`],
  ];
}

/** The same as one JSON object, for a program. */
export function jsonReport(outcome: Outcome, story: readonly string[]): string {
  const { day, reads, events, result, seconds, retries } = outcome;
  return JSON.stringify(
    {
      seed: day.school.seed,
      story,
      organisations: [...reads.organisations].map(([organisationId, holding]) => ({ organisationId, ...holding })),
      usages: { sent: day.school.usages.length, accepted: day.tally.usageCount, refused: Object.fromEntries(day.tally.refusals) },
      blocked: [...day.tally.blocked.values()],
      bills: day.bills,
      rates: { ...day.rates, retries, seconds },
      totals: result.rows.map(([name, answers, read, event]) => ({ name, answers, reads: read, events: event })),
      wallets: result.wallets,
      events: events.events,
      addsUp: result.faults.length === 0,
      faults: result.faults,
    },
    null,
    2,
  );
}
