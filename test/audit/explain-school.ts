import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LedgerForSpec } from '../../apps/ledger/src/http/ledger-for-spec';

/** A few days of a small school through the HTTP API of the real service, at instants of our own; the store is left for the auditor. */

export interface School {
  url: string;
  folder: string;
  env: { EVENT_STORE_URL: string; PLATFORM_TIME_ZONE: string; FREE_TOKENS_PER_MONTH: string };
  /** Ids that the answers gave, by the name of what was done. */
  ids: Record<string, string>;
  remove(): void;
}

/** Every character that an id may have, and ids that look like other things. */
export const ODD_IDS = ['a.b_c~d-e', '-', '_', '~~', '..x', '0', 'A', 'a', 'free', 'U-da', '-dU', 'x'.repeat(64)];

export const ORGANISATION = 'acme.school-1_~';

export async function liveSchool(): Promise<School> {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-audit-'));
  const url = `sqlite:${join(folder, 'events.db')}`;
  const env = { EVENT_STORE_URL: url, PLATFORM_TIME_ZONE: 'Europe/Berlin', FREE_TOKENS_PER_MONTH: '10' };
  const ledger = await LedgerForSpec.start(env);
  try {
    return { url, folder, env, ids: await live(ledger), remove: () => rmSync(folder, { recursive: true, force: true }) };
  } finally {
    await ledger.stop();
  }
}

async function live(ledger: LedgerForSpec): Promise<Record<string, string>> {
  const ids: Record<string, string> = {};
  let position: string | undefined;
  const send = async (status: number, method: string, url: string, body?: object, requestId?: string) => {
    const headers = { ...(position !== undefined && { 'ledger-position': position }), ...(requestId && { 'x-request-id': requestId }) };
    const answer = await ledger.send(method, `/v1${url}`, { ...(body && { body }), headers });
    if (answer.status !== status) throw new Error(`${method} ${url} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    position = answer.headers['ledger-position'] ?? position;
    return answer.body;
  };
  const school = `/organisations/${ORGANISATION}`;
  const use = (status: number, body: object, requestId?: string) => send(status, 'POST', '/users/ann/usages', body, requestId);

  ledger.at('2026-11-23T08:00:00.000Z');
  await send(201, 'PUT', school, { timeZone: 'America/New_York' });
  ids.purchase = (await send(201, 'POST', `${school}/purchases`, { tokens: 5_000, paymentReference: 'inv "1"' })).purchaseId;
  const members = ['ann', ...ODD_IDS].map((userId) => ({ userId, status: 'permitted' }));
  await send(200, 'POST', `${school}/members/batch`, { members });
  await send(200, 'PATCH', `${school}/limits`, { usage: { daily: 50 }, allocation: { monthly: 500 } });
  await send(200, 'PUT', `${school}/members/ann/limits`, { usage: { monthly: 70 } });
  const lines = members.map(({ userId }) => ({ userId, tokens: userId === 'ann' ? 200 : 30 }));
  ids.allocation = (await send(201, 'POST', `${school}/allocations`, { lines, memo: 'week 48' })).allocationId;
  await send(201, 'POST', '/users/ann/purchases', { tokens: 200, paymentReference: 'card 1', purchasedBy: 'mum' });

  ledger.at('2026-11-23T09:00:00.000Z');
  ids.usage = (await use(201, { tokens: 30, service: 'chat', reference: 'lesson 4' }, 'request-usage')).usageId;
  ids.ownTokens = (await use(201, { variableCostEuros: '0.10', sources: ['purchased', 'free'] })).usageId;
  ids.named = (await use(201, { tokens: 7, organisationId: ORGANISATION, occurredAt: '2026-11-22T23:30:00.5Z' })).usageId;
  await use(422, { tokens: 60, sources: ['allocated'] }, 'request-refused');
  ids.reversed = (await use(201, { tokens: 3, sources: ['allocated'] })).usageId;
  await send(201, 'POST', `/users/ann/usages/${ids.reversed}/reversal`, { reason: 'the answer never came' });
  for (const userId of ODD_IDS) await send(201, 'POST', `/users/${userId}/usages`, { tokens: 15 });

  ledger.at('2026-11-24T09:00:00.000Z');
  ids.bill = (await send(201, 'POST', `${school}/bills`, hosting(4_000, 'owe'))).billId;
  ids.declined = (await send(201, 'POST', '/users/ann/bills', hosting(1_000, 'decline'))).billId;
  await send(201, 'POST', '/users/ann/storage', { day: '2026-11-23', bytes: 120_000_000_000, onShortfall: 'decline' });
  await send(201, 'POST', `${school}/purchases`, { tokens: 100_000, paymentReference: 'inv 2' });
  await send(200, 'PUT', '/users/ann/free-allowance', { tokensPerMonth: 25 });
  ledger.at('2026-12-01T09:00:00.000Z');
  await use(201, { tokens: 1 });
  return ids;
}

const hosting = (places: number, onShortfall: string) => ({
  kind: 'hosting',
  month: '2026-11',
  campuses: [75, places / 10],
  courses: [30, 30, 30],
  onShortfall,
});
