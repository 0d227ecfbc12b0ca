import { HttpClient } from '../../apps/demo/src/http-client';
import {
  bodyOf,
  LedgerApi,
  positionOf,
  type AllocationAnswer,
  type MemberAnswer,
  type OrganisationAnswer,
} from '../../apps/demo/src/ledger-api';

/** Several organisations, because a platform has several: draws of one organisation share a look at its stream. */
const ORGANISATIONS = 10;
const LINES_MAX = 10_000;
const PAGE_MAX = 500;
const CALL_CONNECTIONS = 16;
/** More than a run can use: the measured decision has funds and limits to check, and never to refuse. */
const TOKENS_EACH = 100_000;
const TOKENS_HOT = 10_000_000;
const LIMIT = 100_000_000;

export interface Funding {
  /** The largest allocation that was made, for the report; milliseconds. */
  allocation: { lines: number; decided: number; settled: number };
}

/** Wallets of members with allocated tokens under limits, all made through the API, and what they hold now. */
export class FundedWallets {
  readonly hot = 'hot-member';
  readonly members: string[];
  private readonly client: HttpClient;
  private readonly api: LedgerApi;
  private readonly organisations: { id: string; members: string[] }[];

  constructor(url: string, token: string, wallets: number) {
    this.client = new HttpClient(url, CALL_CONNECTIONS);
    this.api = new LedgerApi(this.client, token);
    this.members = Array.from({ length: wallets }, (_, n) => `member-${n}`);
    this.organisations = Array.from({ length: Math.min(ORGANISATIONS, wallets) }, (_, n) => ({
      id: `organisation-${n}`,
      members: this.members.filter((_, index) => index % ORGANISATIONS === n),
    }));
    this.organisations[0]!.members.push(this.hot);
  }

  async fund(): Promise<Funding> {
    const funding: Funding = { allocation: { lines: 0, decided: 0, settled: 0 } };
    for (const { id, members } of this.organisations) {
      const path = `/organisations/${id}`;
      await this.api.expect([201], 'PUT', path, { body: {} });
      const tokens = members.length * TOKENS_EACH + TOKENS_HOT;
      await this.api.expect([201], 'POST', `${path}/purchases`, { body: { tokens, paymentReference: 'bench' }, key: 'purchase' });
      await this.api.expect([200], 'PATCH', `${path}/limits`, { body: { usage: { daily: LIMIT, monthly: LIMIT } } });
      for (let from = 0; from < members.length; from += LINES_MAX)
        await this.allocate(path, members.slice(from, from + LINES_MAX), from, funding);
    }
    return funding;
  }

  private async allocate(path: string, members: string[], from: number, funding: Funding): Promise<void> {
    const permitted = members.map((userId) => ({ userId, status: 'permitted' }));
    await this.api.expect([200], 'POST', `${path}/members/batch`, { body: { members: permitted }, key: `members-${from}` });
    const lines = members.map((userId) => ({ userId, tokens: userId === this.hot ? TOKENS_HOT : TOKENS_EACH }));
    const began = performance.now();
    const answer = await this.api.expect([201], 'POST', `${path}/allocations`, { body: { lines }, key: `allocation-${from}` });
    const { allocationId } = bodyOf<AllocationAnswer>(answer);
    const decided = performance.now() - began;
    const position = positionOf(answer);
    await this.api.expect([200], 'GET', `${path}/allocations/${allocationId}?limit=1`, position === undefined ? {} : { position });
    if (lines.length > funding.allocation.lines) funding.allocation = { lines: lines.length, decided, settled: performance.now() - began };
  }

  /**
   * One more usage of one token: its answer's position comes after all that was answered before it. Reads that name it are
   * reads of everything.
   */
  async mark(key: string): Promise<string | undefined> {
    return positionOf(await this.api.expect([201], 'POST', `/users/${this.hot}/usages`, { body: { tokens: 1 }, key }));
  }

  /** All tokens that organisations hold, have under way and have with their members, by the service's reads. */
  async held(position: string | undefined): Promise<{ total: number; hot: number }> {
    const rest = position === undefined ? {} : { position };
    let total = 0;
    let hot = 0;
    for (const { id } of this.organisations) {
      const { available, inTransit } = bodyOf<OrganisationAnswer>(await this.api.expect([200], 'GET', `/organisations/${id}`, rest));
      total += available + inTransit;
      for (let cursor = ''; ;) {
        const path = `/organisations/${id}/members?limit=${PAGE_MAX}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
        const page = bodyOf<{ data: MemberAnswer[]; nextCursor: string | null }>(await this.api.expect([200], 'GET', path, rest));
        for (const { userId, allocated } of page.data) {
          total += allocated;
          if (userId === this.hot) hot = allocated;
        }
        if (page.nextCursor === null) break;
        cursor = page.nextCursor;
      }
    }
    return { total, hot };
  }

  close(): void {
    this.client.close();
  }
}
