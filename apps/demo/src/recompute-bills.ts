import type { WalletEvent } from '@ledger/wallet';
import type { ChargeAnswer } from './ledger-api';

type Of<Type extends WalletEvent['type']> = Extract<WalletEvent, { type: Type }>;
export type BillEvent = Of<'BillCharged'> | Of<'BillDeclined'> | Of<'StorageAccrued'>;

/** How a check speaks: of a figure that an event says and the events before it come to, or of anything else that is wrong. */
interface Voice {
  same: (what: string, said: number | bigint, recomputed: number | bigint) => void;
  fault: (sentence: string) => void;
}

const PICO = 1_000_000_000_000n;
const FREE_BYTES = 1_000_000_000n;
/** 3.99 tokens per GB and month, 1/30 a day: written here a second time on purpose, as all of the recomputation is. */
const PICO_PER_BYTE_AND_DAY = (399n * PICO) / 100n / 30n / 1_000_000_000n;
const TOKENS_PER_PLACE = 10;

/** What an owner owes and has accrued but not paid, by the bills alone. */
export class BillsRecomputed {
  readonly owed = new Map<string, number>();
  private readonly carried = new Map<string, bigint>();
  private readonly once = new Set<string>();

  constructor(private readonly voice: Voice) {}

  /** A purchase pays the debt first, as far as it goes. */
  paid(owner: string, tokens: number, owedPaid: number): void {
    const owed = this.owed.get(owner) ?? 0;
    this.voice.same('paid of the debt', owedPaid, Math.min(owed, tokens));
    if (owedPaid > 0) this.owed.set(owner, owed - owedPaid);
  }

  add(owner: string, event: BillEvent): void {
    if (event.type === 'StorageAccrued') this.accrued(owner, event);
    else if (event.type === 'BillCharged') this.hosting(owner, event);
    else this.unique(`${owner} ${event.data.kind} of ${event.data.month} declined`);
  }

  private hosting(owner: string, { data }: Of<'BillCharged'>): void {
    const { same } = this.voice;
    this.unique(`${owner} hosting of ${data.month}`);
    same('hosting', data.tokens, data.breakdown.billablePlaces * TOKENS_PER_PLACE);
    same('charged and owed', data.chargedTokens + data.owedTokens, data.tokens);
    this.settled(owner, data);
  }

  private accrued(owner: string, { data }: Of<'StorageAccrued'>): void {
    const { same } = this.voice;
    this.unique(`${owner} storage of ${data.day}`);
    const bytes = BigInt(data.bytes) - FREE_BYTES;
    const day = bytes > 0n ? bytes * PICO_PER_BYTE_AND_DAY : 0n;
    same('accrued', picoOf(data.accruedTokens), day);
    const left = (this.carried.get(owner) ?? 0n) + day - BigInt(data.chargedTokens + data.owedTokens) * PICO;
    same('carried', picoOf(data.carriedTokens), left);
    if (left < 0n || (left >= PICO && !data.declined)) this.voice.fault(`carries ${data.carriedTokens} tokens, which is no part of one`);
    this.carried.set(owner, left);
    this.settled(owner, data);
  }

  private settled(owner: string, data: { charged: ChargeAnswer[]; chargedTokens: number; owedTokens: number; owed: number }): void {
    const sum = data.charged.reduce((total, { tokens }) => total + tokens, 0);
    this.voice.same('charged', data.chargedTokens, sum);
    if (data.charged.some(({ source }) => source === 'allocated')) this.voice.fault('takes allocated tokens, which no bill may');
    const owed = (this.owed.get(owner) ?? 0) + data.owedTokens;
    this.voice.same('owed', data.owed, owed);
    this.owed.set(owner, owed);
  }

  private unique(name: string): void {
    if (this.once.has(name)) this.voice.fault(`is a second ${name}`);
    this.once.add(name);
  }
}

function picoOf(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(12, '0'));
}
