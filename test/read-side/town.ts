import type { EventStore } from '@ledger/event-store';
import {
  accrueStorageForOrganisation,
  accrueStorageForUser,
  allocate,
  chargeBillForOrganisation,
  chargeBillForUser,
  openOrganisation,
  purchaseForOrganisation,
  purchaseForUser,
  receiveAllocation,
  removeMember,
  reverse,
  setDefaultLimits,
  setFreeAllowance,
  setMember,
  setMemberLimits,
  setMembers,
  use,
} from '@ledger/wallet';
import { GeneratedLedger } from '../load/generated-ledger';
import { Choices } from '../support/choices';

/** Few wallets with many events of every kind, so that a test can read every answer there is about them. */

export interface Town {
  organisations: string[];
  users: string[];
  /** Texts that usages carry as their reference. */
  references: string[];
}

const ORGANISATIONS = 6;
const USERS = 90;
const REFERENCES = 4;
const ALLOCATED = 2_000;
const PACKAGE = 50_000_000;
const DAYS = 40;
const DAY_MS = 86_400_000;
/** Appends that are under way together. */
const TOGETHER = 500;
export const FREE_TOKENS = 25;

const isoDay = (at: number): string => new Date(at).toISOString().slice(0, 10);

export interface TownWish {
  events: number;
  seed: number;
  /** Of the organisations. */
  timeZone: string;
  /** Called once, when half of the events are written. */
  halfway?: () => Promise<void>;
}

/** Writes about `events` events that end now. Everything allocated is settled. */
export async function settleTown(store: EventStore, wish: TownWish): Promise<Town> {
  const { events, seed, timeZone } = wish;
  let { halfway } = wish;
  const choices = new Choices(seed);
  const ledger = new GeneratedLedger(store, FREE_TOKENS);
  const organisations = Array.from({ length: ORGANISATIONS }, (_, n) => `school-${n}`);
  const users = Array.from({ length: USERS }, (_, n) => `user-${n}`);
  const references = Array.from({ length: REFERENCES }, (_, n) => `task-${n}`);
  const membersOf = (organisation: number) => users.filter((_, n) => n % ORGANISATIONS === organisation || n % 7 === organisation);
  ledger.now = Date.now() - DAYS * DAY_MS;
  const stepMs = Math.floor(((DAYS - 0.5) * DAY_MS) / events);
  let made = 0;
  const key = () => `key-${(made += 1)}`;

  const allocateTo = (id: string, members: readonly string[]) => {
    const lines = members.map((userId) => ({ userId, tokens: ALLOCATED }));
    for (const event of ledger.organisation(id, allocate, { lines, memo: `round ${made}` }, key()).events) {
      if (event.type !== 'TokensAllocated') continue;
      const { allocationId } = event.data;
      for (const [userId, tokens, number] of event.data.lines)
        ledger.user(userId, receiveAllocation, { organisationId: id, allocationId, number, tokens });
    }
  };
  for (const [n, id] of organisations.entries()) {
    ledger.organisation(id, openOrganisation, { timeZone }, key());
    ledger.organisation(id, purchaseForOrganisation, { tokens: PACKAGE, paymentReference: 'first', purchasedBy: 'head' }, key());
    ledger.organisation(id, setDefaultLimits, { usage: { daily: 400 + n } }, key());
    ledger.organisation(id, setMembers, { members: membersOf(n).map((userId) => ({ userId, status: 'permitted' as const })) }, key());
    allocateTo(id, membersOf(n));
  }

  /** What is rarer than usages and their reversals. */
  const rare = (organisation: number, userId: string): void => {
    const id = organisations[organisation]!;
    const member = choices.of(membersOf(organisation));
    const days = choices.from(1, 2);
    const month = isoDay(ledger.now).slice(0, 7);
    const hosting = { kind: 'hosting' as const, month, campuses: [5, 3], courses: [2, 2, 2, 4], onShortfall: 'decline' as const };
    const storage = { day: isoDay(ledger.now - days * DAY_MS), bytes: 40_000_000_000, onShortfall: 'owe' as const };
    const acts = [
      () => ledger.user(userId, purchaseForUser, { tokens: 200 + made, paymentReference: `payment-${made}` }, key()),
      () => ledger.organisation(id, purchaseForOrganisation, { tokens: 1_000 + made, paymentReference: `payment-${made}` }, key()),
      () => ledger.organisation(id, setMember, { userId: member, status: choices.chance(30) ? 'suspended' : 'permitted' }, key()),
      () => ledger.organisation(id, setMember, { userId: member, status: 'permitted' }, key()),
      () => ledger.organisation(id, setMemberLimits, { userId: member, usage: { daily: choices.from(0, 900) } }, key()),
      () => (choices.chance(10) ? ledger.organisation(id, removeMember, { userId: member }, key()) : undefined),
      () => ledger.user(userId, setFreeAllowance, { tokensPerMonth: choices.from(0, 60) }, key()),
      () => ledger.organisation(id, chargeBillForOrganisation, hosting, key()),
      () => ledger.user(userId, chargeBillForUser, hosting, key()),
      () => ledger.organisation(id, accrueStorageForOrganisation, storage, key()),
      () => ledger.user(userId, accrueStorageForUser, storage, key()),
    ];
    choices.of(acts)();
  };

  for (let n = 0; ledger.events < events; n += 1) {
    ledger.now += stepMs;
    const user = choices.below(USERS);
    const userId = users[user]!;
    const draw = choices.below(1_000);
    if (draw < 25) rare(user % ORGANISATIONS, userId);
    else {
      const body = { tokens: choices.from(1, 30), service: 'chat', ...(choices.chance(40) && { reference: choices.of(references) }) };
      const told = ledger.user(userId, use, body, key());
      if (told.refusal === 'INSUFFICIENT_TOKENS') allocateTo(organisations[user % ORGANISATIONS]!, [userId]);
      else if (told.usageId !== undefined && draw < 60) ledger.user(userId, reverse, { usageId: told.usageId, reason: 'a mistake' }, key());
    }
    if (n % TOGETHER !== 0) continue;
    await ledger.written();
    if (ledger.events < events / 2) continue;
    await halfway?.();
    halfway = undefined;
  }
  await ledger.written();
  return { organisations, users, references };
}
