import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NewEvent, SqliteEventStore } from '@ledger/event-store';
import { type ChainHead, chainStart, type Envelope, seal, type WalletEvent } from '@ledger/wallet';
import { hashing } from '../../../apps/ledger/src/wallets/hashing';

const envelope: Envelope = { actor: 'test', role: 'platform', requestId: 'r', correlationId: 'c' };
const at = '2026-11-23T12:00:00.000Z';

/** A store of one user's wallet, with events as the ledger writes them and with events that it never would. */
export class SmallStore {
  readonly stream: string;
  private readonly head: ChainHead;
  private written = 0;

  private constructor(
    userId: string,
    readonly folder: string,
    readonly store: SqliteEventStore,
  ) {
    this.stream = `userWallet-${userId}`;
    this.head = chainStart(this.stream, hashing);
  }

  static async of(userId: string, grants: number): Promise<SmallStore> {
    const folder = mkdtempSync(join(tmpdir(), 'ledger-small-'));
    const small = new SmallStore(userId, folder, await SqliteEventStore.open(join(folder, 'events.db')));
    await small.good({ type: 'UserWalletOpened', data: { userId, freeTokensPerMonth: 10, at, balanceAfter: { balance: 0 } } });
    for (let n = 0; n < grants; n++) await small.grant();
    return small;
  }

  get url(): string {
    return `sqlite:${join(this.folder, 'events.db')}`;
  }

  /** One more event that is as it should be. @returns its id */
  grant(tokensPerMonth = 10): Promise<string> {
    const free = { tokens: tokensPerMonth, month: '2026-11' };
    return this.good({
      type: 'FreeAllowanceSet',
      data: { tokensPerMonth, added: 0, month: '2026-11', at, balanceAfter: { free, balance: tokensPerMonth } },
    });
  }

  /** An event whose data or type is not as it should be. @returns its id */
  async bad(change: Partial<NewEvent>): Promise<string> {
    const data = { tokensPerMonth: 1, added: 0, month: '2026-11', at, balanceAfter: { balance: 1 } };
    return this.append({ ...seal({ type: 'FreeAllowanceSet', data }, envelope, this.head, hashing), ...change });
  }

  async remove(): Promise<void> {
    await this.store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private good(event: WalletEvent): Promise<string> {
    return this.append(seal(event, envelope, this.head, hashing));
  }

  private async append(event: NewEvent): Promise<string> {
    await this.store.append(this.stream, this.written - 1, [event]);
    this.written += 1;
    return event.id;
  }
}
