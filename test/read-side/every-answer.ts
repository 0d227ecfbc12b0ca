import { expecting } from '../support/commands';
import type { Door, Json } from '../support/ledger-under-test';
import type { Town } from './town';

/** Every answer that a service gives about some wallets, so that two services, or one before and after, can be compared. */

const PAGE = 500;
const AT_ONCE = 16;
/** Usages, members and allocations that are also asked for one by one, of each wallet. */
const SINGLE_MAX = 6;

export interface Answers {
  /** The body by the path. */
  bodies: Map<string, string>;
  /** Rows of lists, over all pages. */
  rows: number;
}

/** `instants` are those at which every wallet's balance is asked. */
export async function everyAnswer(door: Door, town: Town, instants: readonly string[]): Promise<Answers> {
  const answers: Answers = { bodies: new Map(), rows: 0 };
  const get = async (path: string): Promise<Json> => {
    const answer = await expecting(200, door, { method: 'GET', path });
    answers.bodies.set(path, JSON.stringify(answer));
    return answer;
  };
  /** All pages of a list. */
  const list = async (path: string, field = 'data'): Promise<Json[]> => {
    const all: Json[] = [];
    for (let next = `${path}${path.includes('?') ? '&' : '?'}limit=${PAGE}`, cursor = ''; ;) {
      const page = await get(next + cursor);
      all.push(...(page[field] as Json[]));
      if (page.nextCursor === null || page.nextCursor === undefined) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    answers.rows += all.length;
    return all;
  };
  const some = (rows: Json[]): Json[] => rows.filter((_, index) => index % Math.max(1, Math.ceil(rows.length / SINGLE_MAX)) === 0);

  const wallet = async (path: string): Promise<void> => {
    await get(path);
    await list(`${path}/entries`);
    await list(`${path}/purchases`);
    await list(`${path}/bills`);
    await get(`${path}/storage`);
    for (const at of instants) await get(`${path}/balance?at=${at}`);
  };
  const organisation = async (id: string): Promise<void> => {
    const path = `/v1/organisations/${id}`;
    await wallet(path);
    await get(`${path}/limits`);
    for (const filter of ['', '?status=suspended', '?status=removed', '?blocked=true']) {
      const members = await list(`${path}/members${filter}`);
      for (const { userId } of some(members)) await get(`${path}/members/${userId}`);
    }
    for (const { allocationId } of some(await list(`${path}/allocations`))) await list(`${path}/allocations/${allocationId}`, 'lines');
  };
  const user = async (id: string): Promise<void> => {
    const path = `/v1/users/${id}`;
    await wallet(path);
    for (const reference of town.references) {
      const usages = await list(`${path}/usages?reference=${reference}`);
      for (const { usageId } of some(usages)) await get(`${path}/usages/${usageId}`);
    }
  };
  const left = [...town.organisations.map((id) => () => organisation(id)), ...town.users.map((id) => () => user(id))][Symbol.iterator]();
  const lane = async () => {
    for (let next = left.next(); !next.done; next = left.next()) await next.value();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return answers;
}

/** Paths that are answered differently, the first few with both answers. */
export function differences(before: Answers, after: Answers): string[] {
  const paths = new Set([...before.bodies.keys(), ...after.bodies.keys()]);
  return [...paths]
    .filter((path) => before.bodies.get(path) !== after.bodies.get(path))
    .slice(0, 5)
    .map((path) => `${path}: ${before.bodies.get(path)?.slice(0, 600)} and then ${after.bodies.get(path)?.slice(0, 600)}`);
}
