import { billEntry } from '@ledger/wallet';
import type { Auditing } from './audit';
import type { StoredRow } from './stored-rows';

/** Written beside a result or by settlement: these carry no key. */
const KEYLESS = new Set(['UserWalletOpened', 'FreeAllowanceGranted', 'LimitReached', 'AllocationReceived']);

interface FirstOf {
  revision: number;
  type: string;
  contentHash: string | undefined;
  result: string;
}

/** Checks what is unique for ever: keys, payment references, usages with their one reversal, reached limits. */
export class UniqueAudit implements Auditing {
  private readonly keys = new Map<string, FirstOf>();
  private readonly once = new Set<string>();
  private readonly usages = new Map<string, number>();

  add(row: StoredRow, fault: (sentence: string) => void): void {
    const { stream, metadata, type, event } = row;
    const only = (what: string, name: string) => {
      const entry = `${what} ${name}`;
      if (this.once.has(entry)) fault(`repeats ${entry}`);
      this.once.add(entry);
    };
    only('id', row.id);
    if (metadata.key !== undefined) this.keyed(row, metadata.key, fault);
    if (KEYLESS.has(type) && (metadata.key !== undefined || metadata.contentHash !== undefined)) fault('carries a key that is not its own');
    if (event.type === 'TokensPurchased') {
      only('payment', `${stream} ${event.data.paymentReference}`);
      only('purchase', event.data.purchaseId);
    } else if (event.type === 'TokensAllocated') only('allocation part', `${event.data.allocationId} ${event.data.part}`);
    else if (event.type === 'TokensUsed') {
      only('usage', event.data.usageId);
      this.usages.set(`${stream} ${event.data.usageId}`, event.data.tokens);
    } else if (event.type === 'UsageReversed') {
      only('reversal', event.data.usageId);
      const tokens = this.usages.get(`${stream} ${event.data.usageId}`);
      if (tokens !== event.data.tokens) fault(`reverses ${event.data.tokens} of a usage of ${tokens}`);
    } else if (event.type === 'LimitReached') {
      const { organisationId, window, limit } = event.data;
      only('limit reached', `${stream} ${organisationId} ${window} ${limit}`);
    } else if (event.type === 'BillCharged' || event.type === 'BillDeclined' || event.type === 'StorageAccrued') {
      only('bill', `${stream} ${billEntry(event)}`);
    }
  }

  /** A key stands on one result: one event, or several in a row that name the same allocation or the same batch. */
  private keyed({ stream, revision, type, metadata, event }: StoredRow, key: string, fault: (sentence: string) => void): void {
    const name = `${stream} ${key}`;
    const { data } = event;
    const result =
      'allocationId' in data ? `allocation ${data.allocationId}` : 'batch' in data ? `batch ${JSON.stringify(data.batch)}` : 'single';
    const first = this.keys.get(name);
    if (!metadata.contentHash) fault('carries a key without the hash of its content');
    this.keys.set(name, { revision, type, contentHash: metadata.contentHash, result });
    if (!first) return;
    const sameResult = first.result === result && result !== 'single' && first.revision === revision - 1;
    // A declined day of storage says so in its own event and, once a month, in a BillDeclined beside it.
    const declinedDay = type === 'BillDeclined' && first.type === 'StorageAccrued' && first.revision === revision - 1;
    if (!(sameResult || declinedDay) || first.contentHash !== metadata.contentHash)
      fault(`is a second result of the key ${key}, after revision ${first.revision}`);
  }
}
