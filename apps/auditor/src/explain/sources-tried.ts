import {
  type Considered,
  type EventOf,
  isoInstant,
  type LimitNow,
  limitsAt,
  type Policy,
  type Source,
  sumOf,
  type UserWallet,
} from '@ledger/wallet';
import type { TermsReader } from './past';
import { periodName, statusName, tokens } from './words';

/** What one source was asked for and gave. */
export interface SourceTried {
  source: Source;
  organisationId?: string;
  held: number;
  /** What was still to be found when its turn came. */
  wanted: number;
  gave: number;
  /** Why it gave no more, in words. */
  why: string;
  /** Of an organisation: what it was decided under. */
  terms?: { revision: number; status: string; usable: boolean; timeZone: string; limits: LimitTold[] };
}

export interface LimitTold {
  period: 'daily' | 'monthly';
  window: string;
  limit: number | null;
  whose: 'member' | 'default';
  /** Before the draw. */
  used: number;
  /** Null when unlimited. */
  remaining: number | null;
  resetsAt: string;
}

/** The sources in the order in which they are tried, on the wallet as it stood before the usage. */
export async function sourcesTried(wallet: UserWallet, { data }: EventOf<'TokensUsed'>, terms: TermsReader): Promise<SourceTried[]> {
  const { charged, considered } = data;
  let open = data.tokens;
  const tried: SourceTried[] = [];
  const gaveOf = (source: Source, organisationId?: string): number =>
    sumOf(charged.filter((one) => one.source === source && one.organisationId === organisationId));
  const own = (source: 'free' | 'purchased', held: number): void => {
    const gave = gaveOf(source);
    tried.push({ source, held, wanted: open, gave, why: whyNoMore(open, held, gave) });
    open -= gave;
  };

  own('free', wallet.free?.tokens ?? 0);
  for (const { organisationId, tokens: held, used } of wallet.relationships.values()) {
    const gave = gaveOf('allocated', organisationId);
    const record = considered.find((one) => one.organisationId === organisationId);
    const one: SourceTried = { source: 'allocated', organisationId, held, wanted: open, gave, why: whyNoMore(open, held, gave) };
    if (record) {
      const policy = (await terms.at(organisationId, wallet.userId, record.revision))?.policy;
      const limits = policy ? limitsAt(policy.limits, used, policy.timeZone, Date.parse(data.occurredAt)) : [];
      one.terms = termsTold(record, policy, limits);
      one.why = whyLimited(one, record, limits);
    }
    tried.push(one);
    open -= gave;
  }
  own('purchased', wallet.purchased);
  return tried;
}

function whyNoMore(wanted: number, held: number, gave: number): string {
  if (wanted === 0) return 'It was not asked: nothing more was needed.';
  if (gave === wanted) return 'That was all that was still needed.';
  if (held === 0) return 'It had nothing.';
  if (gave === held) return 'It had no more.';
  return gave === 0 ? 'The caller left it out.' : 'It had more to give.';
}

function termsTold({ revision, status, usable }: Considered, policy: Policy | undefined, limits: readonly LimitNow[]) {
  const told = limits.map(({ period, window, limit, source, used, remaining, resetsAt }) => ({
    period,
    window,
    limit,
    whose: source,
    used,
    remaining: remaining === Infinity ? null : remaining,
    resetsAt: isoInstant(resetsAt),
  }));
  return { revision, status: statusName(status, usable), usable, timeZone: policy?.timeZone ?? '', limits: told };
}

function whyLimited({ wanted, held, gave, why }: SourceTried, { usable }: Considered, limits: readonly LimitNow[]): string {
  if (!usable) return 'The member is suspended there, so nothing may be drawn.';
  if (gave === wanted || gave === held) return why;
  const tightest = limits.filter(({ remaining }) => remaining <= gave);
  if (tightest.length === 0) return why;
  return `It held more, but ${tightest.map(limitSentence).join('; and ')}.`;
}

/** `the member's own limit of 50 tokens a day left 15: 35 had been used on 2026-11-23; it resets at ...`. */
export function limitSentence({ period, limit, source, used, remaining, window, resetsAt }: LimitNow): string {
  const whose = source === 'member' ? "the member's own limit" : "the organisation's default limit";
  if (limit === null) return `${whose} is unlimited ${periodName[period]}`;
  const on = period === 'daily' ? `on ${window}` : `in ${window}`;
  const left = remaining === 0 ? 'left nothing' : `left ${tokens(remaining)}`;
  return `${whose} of ${tokens(limit)} ${periodName[period]} ${left}: ${tokens(used)} had been used ${on}; it resets at ${isoInstant(resetsAt)}`;
}

/** Limits that were in force and did not bite are told too, in short. */
export function limitTold({ period, limit, whose, used, window }: LimitTold): string {
  const owner = whose === 'member' ? "member's own" : 'default';
  return limit === null
    ? `unlimited ${periodName[period]} (${owner}), ${tokens(used)} used in ${window}`
    : `${tokens(limit)} ${periodName[period]} (${owner}), ${tokens(used)} used in ${window}`;
}

/** A source as a numbered paragraph. */
export function sourceLines(one: SourceTried, index: number): string[] {
  const name = one.source === 'allocated' ? `allocated by ${one.organisationId}` : one.source;
  const head = `${index + 1}. ${name}: held ${tokens(one.held)}`;
  const gave = one.wanted === 0 ? '' : `, asked for ${one.wanted.toLocaleString('en')}, gave ${one.gave.toLocaleString('en')}`;
  const lines = [`${head}${gave}. ${one.why}`];
  if (!one.terms) return lines;
  const { revision, status, timeZone, limits } = one.terms;
  lines.push(`   Terms, as of event ${revision} of its stream: the member is ${status}; days and months of ${timeZone}.`);
  for (const limit of limits) lines.push(`   Limit on usage: ${limitTold(limit)}.`);
  return lines;
}
