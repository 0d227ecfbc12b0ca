import { type Asked, bodyOf, type Door, type Json } from './ledger-under-test';
import type { Command } from './witness';

/** Commands that several tests send. Each key is used once unless a test says otherwise. */

export const organisationCommand = (id: string, method: Command['method'], path: string, body: unknown, key: string): Command => ({
  stream: `organisationWallet-${id}`,
  method,
  path: `/v1/organisations/${id}${path}`,
  body,
  key,
});

export const userCommand = (id: string, method: Command['method'], path: string, body: unknown, key: string): Command => ({
  stream: `userWallet-${id}`,
  method,
  path: `/v1/users/${id}${path}`,
  body,
  key,
});

export const usage = (userId: string, tokens: number, key: string, more: object = {}): Command =>
  userCommand(userId, 'POST', '/usages', { tokens, ...more }, key);

/** Asks, and takes only this status. @throws with what was answered instead */
export async function expecting(status: number, door: Door, ask: Asked): Promise<Json> {
  const reply = await door.ask(ask);
  if (reply.status !== status)
    throw new Error(`${ask.method} ${ask.path} was answered ${reply.status} instead of ${status}: ${reply.text.slice(0, 500)}`);
  return bodyOf(reply);
}

/** Opens an organisation in this zone with tokens and permitted members. */
export async function openSchool(
  door: Door,
  id: string,
  { timeZone, tokens, members }: { timeZone: string; tokens: number; members: readonly string[] },
): Promise<void> {
  await expecting(201, door, organisationCommand(id, 'PUT', '', { timeZone }, 'open'));
  await expecting(201, door, organisationCommand(id, 'POST', '/purchases', { tokens, paymentReference: 'first' }, 'buy'));
  const body = { members: members.map((userId) => ({ userId, status: 'permitted' })) };
  await expecting(200, door, organisationCommand(id, 'POST', '/members/batch', body, 'members'));
}
