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
/** Allocations of LINES_MAX lines, to members of one more organisation: the first also opens their wallets. */
const LARGE_ALLOCATIONS = 3;

/** Each allocation of the largest size that was made, for the report; milliseconds. */
export interface Funding {
  lines: number;
  allocations: { decided: number; settled: number }[];
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
    for (const { id, members } of this.organisations) {
      const path = await this.open(id, members.length * TOKENS_EACH + TOKENS_HOT);
      for (let from = 0; from < members.length; from += LINES_MAX) {
        const some = members.slice(from, from + LINES_MAX);
        await this.permit(path, some, `members-${from}`);
        await this.allocate(path, some, `allocation-${from}`);
      }
    }
    return { lines: LINES_MAX, allocations: await this.allocateMuch() };
  }

  private async allocateMuch(): Promise<Funding['allocations']> {
    const large = { id: 'organisation-large', members: Array.from({ length: LINES_MAX }, (_, n) => `line-${n}`) };
    this.organisations.push(large);
    const path = await this.open(large.id, LARGE_ALLOCATIONS * large.members.length * TOKENS_EACH);
    await this.permit(path, large.members, 'members');
    const allocations: Funding['allocations'] = [];
    for (let n = 0; n < LARGE_ALLOCATIONS; n += 1) allocations.push(await this.allocate(path, large.members, `allocation-${n}`));
    return allocations;
  }

  private async open(organisationId: string, tokens: number): Promise<string> {
    const path = `/organisations/${organisationId}`;
    await this.api.expect([201], 'PUT', path, { body: {} });
    await this.api.expect([201], 'POST', `${path}/purchases`, { body: { tokens, paymentReference: 'bench' }, key: 'purchase' });
    await this.api.expect([200], 'PATCH', `${path}/limits`, { body: { usage: { daily: LIMIT, monthly: LIMIT } } });
    return path;
  }

  private async permit(path: string, members: string[], key: string): Promise<void> {
    const permitted = members.map((userId) => ({ userId, status: 'permitted' }));
    await this.api.expect([200], 'POST', `${path}/members/batch`, { body: { members: permitted }, key });
  }

  private async allocate(path: string, members: string[], key: string): Promise<Funding['allocations'][number]> {
    const lines = members.map((userId) => ({ userId, tokens: userId === this.hot ? TOKENS_HOT : TOKENS_EACH }));
    const began = performance.now();
    const answer = await this.api.expect([201], 'POST', `${path}/allocations`, { body: { lines }, key });
    const { allocationId } = bodyOf<AllocationAnswer>(answer);
    const decided = performance.now() - began;
    const position = positionOf(answer);
    await this.api.expect([200], 'GET', `${path}/allocations/${allocationId}?limit=1`, position === undefined ? {} : { position });
    return { decided, settled: performance.now() - began };
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
