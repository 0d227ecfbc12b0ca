import { type Answer, LedgerForSpec } from '../../apps/ledger/src/http/ledger-for-spec';
import type { LimitsAnswer, MemberAnswer, UserAnswer, WindowAnswer } from '../../apps/ledger/src/views/answers';
import { STARTS, ZONES } from '../../libs/wallet/src/testing/moves';
import { Choices } from '../support/choices';
import { seedOf } from '../support/ledger-under-test';

/**
 * Reads are answered from the read model, decisions are made on folded wallets: two ways to the same figures. Random commands through
 * the HTTP API, with a clock that jumps over days, months and changed zones; after every few of them, each figure that a read names is
 * put to the decision: what is said to be left is affordable, and one token more is not. At the end each answer is asked for again.
 */

const RUNS = 6;
const MOVES = 120;
const HOUR = 3_600_000;
const ORGANISATIONS = ['oak', 'elm', 'ash'];
const USERS = ['u0', 'u1', 'u2'];
const LIMITS = [null, 0, 5, 10, 20, 40, undefined];
const LATE = [undefined, undefined, 0, -HOUR, -20 * HOUR, -47 * HOUR, -72 * HOUR, 60_000];
const STEPS = [1, 60_000, HOUR, 7 * HOUR, 13 * HOUR, 25 * HOUR, 73 * HOUR, 100 * HOUR, 33 * 24 * HOUR];
const SOURCES = [['allocated'], ['free', 'allocated', 'purchased'], ['free'], ['allocated', 'purchased']];

interface Done {
  method: string;
  url: string;
  body: unknown;
  key: string;
  answer: Answer;
}

class Story {
  readonly done: Done[] = [];
  readonly past: [string, unknown][] = [];
  private readonly usages: [string, string][] = [];
  private position: string | undefined;

  constructor(
    readonly ledger: LedgerForSpec,
    private readonly choices: Choices,
    private now: number,
  ) {
    this.pass(0);
  }

  pass(ms: number): void {
    this.now += ms;
    this.ledger.at(this.instant());
  }

  instant = (ms = 0): string => new Date(this.now + ms).toISOString();

  async begin(): Promise<void> {
    for (const id of ORGANISATIONS) {
      const url = `/v1/organisations/${id}`;
      await this.tell('PUT', url, { timeZone: this.choices.of(ZONES) });
      await this.tell('POST', `${url}/purchases`, { tokens: 1_000, paymentReference: 'first' });
      await this.tell('POST', `${url}/members/batch`, { members: USERS.map((userId) => ({ userId, status: 'permitted' })) });
      await this.tell('POST', `${url}/allocations`, { lines: USERS.map((userId) => ({ userId, tokens: 60 })) });
    }
  }

  /** One command of some kind; what a preview said of it before must be what it came to. */
  async move(): Promise<void> {
    const { choices } = this;
    const userId = choices.of(USERS);
    const [organisation, user] = [`/v1/organisations/${choices.of(ORGANISATIONS)}`, `/v1/users/${userId}`];
    const limits = () => ({ usage: this.periods(), allocation: this.periods() });
    const status = choices.of(['permitted', 'suspended', 'permitted']);
    const some = USERS.slice(0, choices.from(1, 3));
    const onShortfall = choices.of(['decline', 'owe']);
    switch (choices.below(16)) {
      case 0:
        return this.reverse();
      case 1:
        return void (await this.tell('PUT', organisation, { timeZone: choices.of(ZONES) }));
      case 2:
        return void (await this.tell('PATCH', `${organisation}/limits`, limits()));
      case 3:
        return void (await this.tell('PUT', `${organisation}/members/${userId}/limits`, limits()));
      case 4:
        return void (await this.tell('DELETE', `${organisation}/members/${userId}${choices.of(['', '/limits'])}`));
      case 5:
        return void (await this.tell('PUT', `${organisation}/members/${userId}`, { status }));
      case 6: {
        const members = some.map((id) => ({ userId: id, status, ...choices.of([{}, { limits: null }, { limits: limits() }]) }));
        return void (await this.tell('POST', `${organisation}/members/batch`, { members }));
      }
      case 7:
        return this.allocate(organisation, { lines: some.map((id) => ({ userId: id, tokens: choices.from(1, 20) })) });
      case 8:
        return void (await this.tell('PUT', `${user}/free-allowance`, { tokensPerMonth: choices.below(40) }));
      case 9: {
        const purchase = { tokens: choices.from(200, 220), paymentReference: `p${this.done.length}` };
        return void (await this.tell('POST', `${choices.of([user, organisation])}/purchases`, purchase));
      }
      case 10: {
        const storage = { day: this.instant(-24 * HOUR * choices.below(3)).slice(0, 10), bytes: choices.below(3e9) * 100, onShortfall };
        return void (await this.tell('POST', `${choices.of([user, organisation])}/storage`, storage));
      }
      case 11: {
        const hosting = {
          kind: 'hosting',
          month: this.instant(-HOUR * choices.of([0, 900])).slice(0, 7),
          campuses: [1, choices.below(40)],
        };
        return void (await this.tell('POST', `${choices.of([user, organisation])}/bills`, { ...hosting, courses: [], onShortfall }));
      }
      case 12:
        return this.pass(choices.of(STEPS));
      default:
        return this.use(userId);
    }
  }

  async figuresAgree(): Promise<void> {
    for (const userId of USERS) await this.userAgrees(userId);
    for (const id of ORGANISATIONS) {
      const [now, at] = [await this.read(`/v1/organisations/${id}`), await this.read(`/v1/organisations/${id}/balance`)];
      expect([at.available, at.owed, at.inTransit, at.revision]).toEqual([now.available, now.owed, 0, now.revision]);
      const members: MemberAnswer[] = (await this.read(`/v1/organisations/${id}/members`)).data;
      const blocked = members.filter(({ status, limits: { usage } }) => status === 'suspended' || leftOf(usage) === 0);
      expect((await this.read(`/v1/organisations/${id}/members?blocked=true`)).data).toEqual(blocked);
    }
    // Another event at this very instant would belong to the balances that were read of it.
    this.pass(1);
  }

  async answersStay(): Promise<void> {
    for (const { method, url, body, key, answer } of this.done.filter(({ answer: { status } }) => status < 300)) {
      const again = await this.ledger.send(method, url, { body, headers: { 'idempotency-key': key } });
      expect(again.headers['idempotency-replayed']).toBe('true');
      if (method === 'POST') expect([url, again.status, again.body]).toEqual([url, answer.status, answer.body]);
    }
    for (const [url, body] of this.past) expect([url, (await this.ledger.send('GET', url)).body]).toEqual([url, body]);
  }

  private async use(userId: string): Promise<void> {
    const { choices } = this;
    const [late, sources, tokens] = [choices.of(LATE), choices.of(SOURCES), choices.from(1, 15)];
    const named: Record<string, string> = choices.chance(30) ? { organisationId: choices.of(ORGANISATIONS) } : {};
    const foreseen = await this.affordability(userId, tokens, { sources: sources.join(), ...named });
    const occurredAt = late === undefined ? {} : { occurredAt: this.instant(late) };
    const { status, body } = await this.tell('POST', `/v1/users/${userId}/usages`, { tokens, sources, ...named, ...occurredAt });
    if (status === 201) this.usages.push([userId, body.usageId]);
    if (late !== undefined) return;
    expect(foreseen).toMatchObject(
      status === 201 ? { affordable: true, charged: body.charged, blockedBy: [] } : { affordable: false, blockedBy: [body] },
    );
  }

  private async reverse(): Promise<void> {
    if (this.usages.length === 0) return;
    const [userId, usageId] = this.choices.of(this.usages);
    await this.tell('POST', `/v1/users/${userId}/usages/${usageId}/reversal`, {});
  }

  private async allocate(organisation: string, body: object): Promise<void> {
    const foreseen = await this.ledger.send('POST', `${organisation}/allocations?dryRun=true`, { body, keyless: true });
    const { status, body: made } = await this.tell('POST', `${organisation}/allocations`, body);
    if (status === 201) delete made.allocationId;
    expect([foreseen.status === 200, foreseen.body]).toEqual([status === 201, made]);
  }

  private async userAgrees(userId: string): Promise<void> {
    const user: UserAnswer = await this.read(`/v1/users/${userId}`);
    const { free, purchased, allocated } = user;
    expect(user.balance).toBe(allocated.reduce((sum, { tokens }) => sum + tokens, free.tokens + purchased));
    await this.isLimit(userId, free.tokens, { sources: 'free' });
    await this.isLimit(userId, purchased, { sources: 'purchased' });
    for (const { organisationId, tokens, usable, status, limits } of allocated) {
      await this.isLimit(userId, usable, { sources: 'allocated', organisationId });
      const member: MemberAnswer = await this.read(`/v1/organisations/${organisationId}/members/${userId}`);
      expect([member.allocated, member.status, member.limits.usage]).toEqual([tokens, status, limits.usage]);
      if (status === 'permitted') await this.isAllocatable(organisationId, userId, leftOf(member.limits.allocation));
    }
    const at = await this.read(`/v1/users/${userId}/balance`);
    expect(at).toMatchObject({ balance: user.balance, free, purchased, owed: user.owed, revision: user.revision });
    this.past.push([`/v1/users/${userId}/balance?at=${this.instant()}`, at]);
  }

  /** So many tokens are affordable, and not one more. */
  private async isLimit(userId: string, tokens: number, of: Record<string, string>): Promise<void> {
    if (tokens > 0) expect([userId, of, await this.affordability(userId, tokens, of)]).toMatchObject([userId, of, { affordable: true }]);
    expect([userId, of, await this.affordability(userId, tokens + 1, of)]).toMatchObject([userId, of, { affordable: false }]);
  }

  private async isAllocatable(organisationId: string, userId: string, left: number): Promise<void> {
    const { available } = await this.read(`/v1/organisations/${organisationId}`);
    const url = `/v1/organisations/${organisationId}/allocations?dryRun=true`;
    const allocatable = async (tokens: number) =>
      (await this.ledger.send('POST', url, { body: { lines: [{ userId, tokens }] }, keyless: true })).status === 200;
    const most = Math.min(left, available);
    expect([organisationId, userId, most === 0 || (await allocatable(most)), await allocatable(most + 1)]).toEqual([organisationId, userId, true, false]); // prettier-ignore
  }

  private async affordability(userId: string, tokens: number, of: Record<string, string>) {
    return (
      await this.ledger.send('GET', `/v1/users/${userId}/affordability?${new URLSearchParams({ tokens: `${tokens}`, ...of }).toString()}`)
    ).body;
  }

  private periods(): Record<string, number | null> {
    const [daily, monthly] = [this.choices.of(LIMITS), this.choices.of(LIMITS)];
    return { ...(daily !== undefined && { daily }), ...(monthly !== undefined && { monthly }) };
  }

  private async tell(method: string, url: string, body?: unknown): Promise<Answer> {
    const key = `key-${this.done.length}`;
    const answer = await this.ledger.send(method, url, { body, headers: { 'idempotency-key': key, ...this.seen() } });
    expect([url, answer.status < 500]).toEqual([url, true]);
    this.position = answer.headers['ledger-position'] ?? this.position;
    this.done.push({ method, url, body, key, answer: { ...answer, body: structuredClone(answer.body) } });
    return answer;
  }

  private async read(url: string): Promise<Answer['body']> {
    const { status, body } = await this.ledger.send('GET', url, { headers: this.seen() });
    expect([url, status]).toEqual([url, 200]);
    return body;
  }

  private seen = (): Record<string, string> => (this.position === undefined ? {} : { 'ledger-position': this.position });
}

/** What the tighter of two windows leaves; Infinity when both are unlimited. */
const leftOf = ({ daily, monthly }: LimitsAnswer['usage' | 'allocation']): number => Math.min(left(daily), left(monthly));
const left = ({ remaining }: WindowAnswer): number => remaining ?? Infinity;

it('what reads say is what decisions go by, now and later, and answers stay as they were', async () => {
  const choices = new Choices(seedOf('ANSWERS_SEED'));
  for (let run = 0; run < RUNS; run += 1) {
    const settings = { FREE_TOKENS_PER_MONTH: choices.of(['0', '15']), PLATFORM_TIME_ZONE: choices.of(ZONES) };
    const ledger = await LedgerForSpec.start(settings);
    try {
      const story = new Story(ledger, choices, Date.parse(choices.of(STARTS)));
      await story.begin();
      for (let move = 0; move < MOVES; move += 1) {
        await story.move();
        if (move % 4 === 3) await story.figuresAgree();
      }
      story.pass(40 * 24 * HOUR);
      await story.answersStay();
      await ledger.restart(settings);
      await story.answersStay();
      expect(story.done.filter(({ answer }) => answer.status < 300).length).toBeGreaterThan(MOVES / 3);
    } finally {
      await ledger.stop();
    }
  }
}, 240_000);
