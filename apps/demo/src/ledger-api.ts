import type { Answer, Ask, HttpClient, Problem } from './http-client';

/** The answers of the HTTP contract, as far as the demo reads them. Amounts are tokens, instants ISO 8601 UTC. */
export interface PurchaseAnswer {
  tokens: number;
  listPriceCents: number;
  discountPercent: number;
  priceCents: number;
  /** The part that paid an earlier debt. */
  owedPaid: number;
  available: number;
}
export interface QuoteAnswer {
  tokens: number;
  listPriceCents: number;
  discountPercent: number;
  priceCents: number;
  better?: { tokens: number; priceCents: number };
}
export interface AllocationAnswer {
  allocationId: string;
  tokens: number;
  lineCount: number;
  available: number;
}
export interface ChargeAnswer {
  source: 'free' | 'allocated' | 'purchased';
  organisationId?: string;
  tokens: number;
}
export interface UsageAnswer {
  usageId: string;
  tokens: number;
  charged: ChargeAnswer[];
  balance: number;
}
export interface ReversalAnswer {
  usageId: string;
  tokens: number;
  returned: ChargeAnswer[];
  balance: number;
}
/** A hosting bill or a day of storage. */
export interface BillAnswer {
  tokens?: number;
  accruedTokens?: string;
  carriedTokens?: string;
  chargedTokens: number;
  owedTokens: number;
  declined: boolean;
  charged: ChargeAnswer[];
}
export interface WindowAnswer {
  limit: number | null;
  source: 'member' | 'default';
  used: number;
  remaining: number | null;
  window: string;
  resetsAt: string;
}
export interface BlockingLimit {
  organisationId: string;
  userId: string;
  meter: string;
  period: string;
  source: 'member' | 'default';
  limit: number;
  used: number;
  remaining: number;
  requested: number;
  window: string;
  resetsAt: string;
}
export interface OrganisationAnswer {
  organisationId: string;
  timeZone: string;
  available: number;
  inTransit: number;
  owed: number;
  members: Record<'permitted' | 'suspended' | 'removed', number>;
}
export interface UserAnswer {
  userId: string;
  balance: number;
  free: { tokens: number; tokensPerMonth: number; month: string };
  purchased: number;
  allocated: { organisationId: string; tokens: number; usable: number; status: string }[];
  owed: number;
  storageDeclined: boolean;
}
export interface MemberAnswer {
  userId: string;
  status: string;
  allocated: number;
  limits: { usage: { daily: WindowAnswer; monthly: WindowAnswer } };
}

/** The service did something else than the contract says. */
export class Unexpected extends Error {}

/** Requests in one role's name. */
export class LedgerApi {
  constructor(
    private readonly client: HttpClient,
    private readonly token: string,
  ) {}

  ask(method: Ask['method'], path: string, rest: Pick<Ask, 'body' | 'key' | 'position'> = {}): Promise<Answer> {
    return this.client.ask({ method, path: `/v1${path}`, token: this.token, ...rest });
  }

  /** Asks, and takes only these answers. @throws Unexpected */
  async expect(
    statuses: readonly number[],
    method: Ask['method'],
    path: string,
    rest: Pick<Ask, 'body' | 'key' | 'position'> = {},
  ): Promise<Answer> {
    const answer = await this.ask(method, path, rest);
    if (!statuses.includes(answer.status)) throw unexpected(`${method} ${path}`, statuses.join(' or '), answer);
    return answer;
  }

  /** Asks for something that must be refused with this code. @throws Unexpected */
  async refused(code: string, method: Ask['method'], path: string, rest: Pick<Ask, 'body' | 'key' | 'position'> = {}): Promise<Problem> {
    const answer = await this.ask(method, path, rest);
    const problem = answer.status >= 400 ? problemOf(answer) : undefined;
    if (problem?.code !== code) throw unexpected(`${method} ${path}`, code, answer);
    return problem;
  }
}

const SHOWN_MAX = 400;

export const unexpected = (what: string, wanted: string, answer: Answer): Unexpected =>
  new Unexpected(`${what} should have been answered ${wanted}, and was answered ${answer.status}: ${answer.text.slice(0, SHOWN_MAX)}`);

export const bodyOf = <Body>(answer: Answer): Body => JSON.parse(answer.text) as Body;

export function problemOf(answer: Answer): Problem {
  try {
    return bodyOf<Problem>(answer);
  } catch {
    return { code: 'NOT_JSON', status: answer.status, detail: answer.text.slice(0, SHOWN_MAX) };
  }
}

export const positionOf = (answer: Answer): string | undefined => {
  const position = answer.headers['ledger-position'];
  return Array.isArray(position) ? position[0] : position;
};
