import { Injectable } from '@nestjs/common';
import type { EventType, WalletRef } from '@ledger/wallet';
import type { FastifyReply } from 'fastify';
import type { Page } from '../views/answers';
import { BalancesAt, NotReadThatFar, type OrganisationBalanceAt, type UserBalanceAt } from '../views/balances-at';
import { Entries, type Entry } from '../views/entries';
import { Clock } from '../wallets/clock';
import { CSV_TYPE, type Cell, csvOf, prefersCsv } from './csv';
import { organisationNotFound } from './not-found';
import type { LedgerRequest } from './operation';
import { Positions } from './position';
import { Problem, validationFailed } from './problem';
import { pageOf } from './query-parameters';
import type { AT, ORGANISATION_STATEMENT, USER_STATEMENT } from './statement-parameters';

/** An entry as it is answered: its position is opaque, in the form of `Ledger-Position`. */
export type EntryAnswer = Omit<Entry, 'place'> & { position: string };

type StatementRequest = LedgerRequest<typeof ORGANISATION_STATEMENT> | LedgerRequest<typeof USER_STATEMENT>;

/** Statements and balances of the past, for both kinds of wallet. */
@Injectable()
export class Statements {
  constructor(
    private readonly entries: Entries,
    private readonly balances: BalancesAt,
    private readonly positions: Positions,
    private readonly clock: Clock,
  ) {}

  /** Entries oldest first, as JSON or, when the caller prefers it, as CSV. @throws Problem ORGANISATION_NOT_FOUND, VALIDATION_FAILED */
  async read(wallet: WalletRef, request: StatementRequest, reply: FastifyReply): Promise<Page<EntryAnswer> | string> {
    const { from, to, type, ...asked } = request.asked;
    if (from !== undefined && to !== undefined && to <= from)
      throw validationFailed([{ in: 'query', field: '/to', value: queryOf(request)['to'], message: 'must be later than from' }]);
    const types: readonly EventType[] | undefined = type;
    const { data, nextCursor } = await this.entries.page(wallet, {
      ...pageOf(asked),
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(types && { types }),
    });
    if (data.length === 0 && wallet.kind === 'organisation') await this.mustExist(wallet);
    const answers = await Promise.all(
      data.map(async ({ place, ...entry }) => ({ position: await this.positions.textOf(place), ...entry })),
    );
    reply.header('vary', 'accept, authorization');
    if (!prefersCsv(request.headers.accept)) return { data: answers, nextCursor };
    reply.type(CSV_TYPE).header('content-disposition', `attachment; filename="entries-${wallet.kind}-${wallet.id}.csv"`);
    if (nextCursor !== null) reply.header('link', `<${nextUrl(request, nextCursor)}>; rel="next"`).header('next-cursor', nextCursor);
    return csvOf(COLUMNS, answers.map(rowOf));
  }

  async userBalance(userId: string, asked: LedgerRequest<typeof AT>['asked']): Promise<UserBalanceAt> {
    return this.balances.user(userId, await this.instant({ kind: 'user', id: userId }, asked.at));
  }

  /** @throws Problem ORGANISATION_NOT_FOUND, POSITION_NOT_REACHED */
  async organisationBalance(organisationId: string, asked: LedgerRequest<typeof AT>['asked']): Promise<OrganisationBalanceAt> {
    const at = await this.instant({ kind: 'organisation', id: organisationId }, asked.at);
    try {
      const balance = await this.balances.organisation(organisationId, at);
      if (balance === undefined) throw organisationNotFound(organisationId);
      return balance;
    } catch (error) {
      if (!(error instanceof NotReadThatFar)) throw error;
      throw new Problem('POSITION_NOT_REACHED', 'This instance has not read what the members received until then: try again.');
    }
  }

  private async mustExist(wallet: WalletRef): Promise<void> {
    if ((await this.entries.headOf(wallet)) < 0) throw organisationNotFound(wallet.id);
  }

  /** Nobody knows what comes; but what is stored has happened, also when another instance's clock is ahead of ours. */
  private async instant(wallet: WalletRef, asked: number | undefined): Promise<number> {
    const now = this.clock.now();
    if (asked !== undefined && asked <= now) return asked;
    const latest = Math.max(now, await this.balances.lastAt(wallet));
    if (asked === undefined) return latest;
    if (asked <= latest) return asked;
    throw validationFailed([{ in: 'query', field: '/at', value: new Date(asked).toISOString(), message: 'must not lie in the future' }]);
  }
}

const queryOf = (request: StatementRequest) => request.query as Record<string, string>;

function nextUrl(request: StatementRequest, cursor: string): string {
  const [path] = request.url.split('?');
  return `${path}?${new URLSearchParams({ ...queryOf(request), cursor }).toString()}`;
}

/** One row per entry, so that the column `tokens` sums to the balance; lines and allocated tokens are lists in one cell. */
const COLUMNS = [
  'position',
  'revision',
  'at',
  'occurredAt',
  'type',
  'tokens',
  'balance',
  'free',
  'freeMonth',
  'purchased',
  'allocated',
  'lines',
  'actor',
  'reference',
  'service',
  'reason',
  'memo',
  'usageId',
  'allocationId',
  'organisationId',
  'purchaseId',
  'billId',
] as const;

/** Buckets that the entry did not touch are empty. */
function rowOf(entry: EntryAnswer): Cell[] {
  const { balance, ...buckets } = entry.balanceAfter;
  const { free, purchased, allocated } = 'available' in buckets ? {} : buckets;
  const cells: Record<(typeof COLUMNS)[number], Cell> = {
    ...entry,
    occurredAt: entry.occurredAt,
    reference: entry.reference,
    service: entry.service,
    reason: entry.reason,
    memo: entry.memo,
    usageId: entry.usageId,
    allocationId: entry.allocationId,
    organisationId: entry.organisationId,
    purchaseId: entry.purchaseId,
    billId: entry.billId,
    balance,
    free: free?.tokens,
    freeMonth: free?.month,
    purchased,
    allocated: allocated?.map(({ organisationId, tokens }) => `${organisationId} ${tokens}`).join('; '),
    lines: entry.lines.map(({ account, tokens }) => `${account} ${tokens}`).join('; '),
  };
  return COLUMNS.map((column) => cells[column]);
}
