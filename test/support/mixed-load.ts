import type { Reply } from '../../apps/demo/src/http-client';
import { Choices } from './choices';
import { bodyOf, type Door, isLater } from './ledger-under-test';
import type { Command } from './witness';

const ORGANISATIONS = 4;
const USERS = 32;
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Pacific/Auckland'];
/** One user that every fourth usage is charged to: its keys and usages outgrow what a folded wallet remembers. */
const HOT_USER = 'user-0';
/** Usages that a reversal may choose from. */
const REVERSIBLE_MAX = 200;

export const organisationIds = Array.from({ length: ORGANISATIONS }, (_, index) => `school-${index}`);
export const userIds = Array.from({ length: USERS }, (_, index) => `user-${index}`);
/** Each user is a member of two schools. */
const membersOf = (organisation: number): string[] =>
  userIds.filter((_, user) => user % ORGANISATIONS === organisation || (user + 1) % ORGANISATIONS === organisation);

const organisationPath = (id: string) => `/v1/organisations/${id}`;
const userPath = (id: string) => `/v1/users/${id}`;

/** Commands as a busy day would bring them, chosen by the seed; some of them must be refused. */
export class MixedLoad {
  private readonly choices: Choices;
  private readonly reversible: { userId: string; usageId: string }[] = [];
  private readonly references: string[] = [];
  private made = 0;

  constructor(
    seed: number,
    private readonly name: string,
  ) {
    this.choices = new Choices(seed);
  }

  /** What must be there first, in this order. */
  opening(): Command[] {
    return organisationIds.flatMap((id, index) => [
      this.organisation(id, 'PUT', '', { timeZone: ZONES[index] }),
      this.organisation(id, 'POST', '/purchases', { tokens: 1_000_000, paymentReference: `opening-${id}` }),
      this.organisation(id, 'POST', '/members/batch', { members: membersOf(index).map((userId) => ({ userId, status: 'permitted' })) }),
      this.organisation(id, 'PATCH', '/limits', { usage: { daily: 4_000, monthly: 30_000 }, allocation: { daily: 20_000 } }),
      this.organisation(id, 'POST', '/allocations', { lines: membersOf(index).map((userId) => ({ userId, tokens: 300 })) }),
    ]);
  }

  next(): Command {
    const draw = this.choices.below(100);
    if (draw < 52) return this.usage();
    if (draw < 61) return this.reversal();
    if (draw < 69) return this.allocation();
    if (draw < 75) return this.purchase();
    if (draw < 86) return this.limits();
    if (draw < 95) return this.membership();
    if (draw < 98) return this.user(this.choices.of(userIds), 'PUT', '/free-allowance', { tokensPerMonth: 25 * this.choices.below(4) });
    return this.organisation(this.choices.of(organisationIds), 'PUT', '', { timeZone: this.choices.of(ZONES) });
  }

  /** Keeps what later commands refer to. */
  heard(command: Command, reply: Reply): void {
    if (reply.status !== 201 || !command.path.endsWith('/usages')) return;
    const entry = { userId: command.path.split('/')[3]!, usageId: String(bodyOf(reply).usageId) };
    if (this.reversible.length < REVERSIBLE_MAX) this.reversible.push(entry);
    else this.reversible[this.choices.below(REVERSIBLE_MAX)] = entry;
  }

  private usage(): Command {
    const { choices } = this;
    const userId = choices.chance(25) ? HOT_USER : choices.of(userIds);
    const price = choices.chance(30)
      ? { variableCostEuros: `0.${String(choices.from(1, 20)).padStart(2, '0')}` }
      : { tokens: choices.chance(4) ? choices.from(2_000, 9_000) : choices.from(1, 40) };
    const organisationId = choices.chance(20) ? { organisationId: choices.of(organisationIds) } : {};
    const sources = choices.chance(15) ? { sources: choices.some(['free', 'allocated', 'purchased'], choices.from(1, 2)) } : {};
    const occurredAt = choices.chance(10) ? { occurredAt: new Date(Date.now() - choices.below(48) * 3_600_000).toISOString() } : {};
    return this.user(userId, 'POST', '/usages', { ...price, ...organisationId, ...sources, ...occurredAt, service: 'load' });
  }

  private reversal(): Command {
    const { userId, usageId } =
      this.reversible.length > 0 ? this.choices.of(this.reversible) : { userId: HOT_USER, usageId: 'no-such-usage' };
    return this.user(userId, 'POST', `/usages/${usageId}/reversal`, this.choices.chance(50) ? { reason: 'a mistake' } : undefined);
  }

  private allocation(): Command {
    const { choices } = this;
    const organisation = choices.below(ORGANISATIONS);
    const chosen = choices.some(membersOf(organisation), choices.from(1, 12));
    const lines = chosen.map((userId) => ({ userId, tokens: choices.from(10, 120) }));
    if (choices.chance(8)) lines.push({ ...lines[0]! });
    if (choices.chance(4)) lines.push({ userId: 'nobody', tokens: 1 });
    return this.organisation(organisationIds[organisation]!, 'POST', '/allocations', { lines, memo: 'load' });
  }

  /** Every fifth names a payment that was made before. */
  private purchase(): Command {
    const { choices } = this;
    const again = choices.chance(20) && this.references.length > 0;
    const paymentReference = again ? choices.of(this.references) : `payment-${this.name}-${this.made}`;
    this.references.push(paymentReference);
    const body = { tokens: choices.from(190, 1_500), paymentReference };
    if (choices.chance(50)) return this.user(choices.of(userIds), 'POST', '/purchases', body);
    return this.organisation(choices.of(organisationIds), 'POST', '/purchases', body);
  }

  private limits(): Command {
    const { choices } = this;
    const organisation = choices.below(ORGANISATIONS);
    const id = organisationIds[organisation]!;
    const limit = () => (choices.chance(15) ? null : choices.from(0, 4_000));
    if (choices.chance(30)) return this.organisation(id, 'PATCH', '/limits', { usage: { daily: limit() } });
    const path = `/members/${choices.of(membersOf(organisation))}/limits`;
    if (choices.chance(20)) return this.organisation(id, 'DELETE', path);
    return this.organisation(id, 'PUT', path, { usage: { daily: limit(), ...(choices.chance(40) && { monthly: limit() }) } });
  }

  private membership(): Command {
    const { choices } = this;
    const organisation = choices.below(ORGANISATIONS);
    const id = organisationIds[organisation]!;
    const userId = choices.of(membersOf(organisation));
    if (choices.chance(8)) return this.organisation(id, 'DELETE', `/members/${userId}`);
    if (choices.chance(70))
      return this.organisation(id, 'PUT', `/members/${userId}`, { status: choices.chance(20) ? 'suspended' : 'permitted' });
    const members = choices.some(membersOf(organisation), 6).map((each) => ({
      userId: each,
      status: 'permitted',
      ...(choices.chance(30) && { limits: choices.chance(50) ? null : { allocation: { daily: choices.from(100, 30_000) } } }),
    }));
    return this.organisation(id, 'POST', '/members/batch', { members });
  }

  private organisation(id: string, method: Command['method'], path: string, body?: unknown): Command {
    return { stream: `organisationWallet-${id}`, method, path: organisationPath(id) + path, body, key: this.key() };
  }

  private user(id: string, method: Command['method'], path: string, body?: unknown): Command {
    return { stream: `userWallet-${id}`, method, path: userPath(id) + path, body, key: this.key() };
  }

  private key(): string {
    return `${this.name}-${this.made++}`;
  }
}

const REQUESTS_MAX = 40;

/** Where the reads of a door say that all tokens are, in the shape of `shown`. */
export async function readBack(door: Door, organisations: readonly string[], users: readonly string[]): Promise<Record<string, unknown>> {
  const result: Record<string, unknown> = {};
  const read = async (path: string) => {
    const reply = await door.ask({ method: 'GET', path });
    if (reply.status !== 200)
      throw new Error(`GET ${path} was answered ${reply.status}${isLater(reply) ? ' to the last' : ''}: ${reply.text}`);
    return bodyOf(reply);
  };
  for (const id of organisations) {
    const { available, inTransit } = await read(organisationPath(id));
    result[`organisation ${id}`] = { available, inTransit };
  }
  for (let from = 0; from < users.length; from += REQUESTS_MAX) {
    await Promise.all(
      users.slice(from, from + REQUESTS_MAX).map(async (id) => {
        const { free, purchased, allocated, balance } = await read(userPath(id));
        const held = (allocated as { organisationId: string; tokens: number }[]).filter(({ tokens }) => tokens !== 0);
        const sorted = Object.fromEntries(held.map(({ organisationId, tokens }) => [organisationId, tokens] as const).sort());
        result[`user ${id}`] = { free: free.tokens, purchased, allocated: sorted, balance };
      }),
    );
  }
  return result;
}
