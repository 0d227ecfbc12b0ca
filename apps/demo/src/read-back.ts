import type { Books } from './books';
import type { Day } from './day';
import { inFlight } from './in-flight';
import { bodyOf, Unexpected, type OrganisationAnswer, type UserAnswer } from './ledger-api';

const AT_ONCE = 16;

/** The books told by the service's own reads, as of the day's last command. */
export async function readBack(day: Day): Promise<Books> {
  const owed = new Map<string, number>();
  const books: Books = { witness: 'reads', organisations: new Map(), users: new Map(), owed };
  const rest = day.position === undefined ? {} : { position: day.position };
  for (const { id } of day.school.organisations) {
    const wallet = bodyOf<OrganisationAnswer>(await day.platform.expect([200], 'GET', `/organisations/${id}`, rest));
    books.organisations.set(id, { available: wallet.available, inTransit: wallet.inTransit });
    if (wallet.owed !== 0) owed.set(`organisation ${id}`, wallet.owed);
  }
  await inFlight(day.school.byRank, AT_ONCE, async (userId) => {
    const user = bodyOf<UserAnswer>(await day.platform.expect([200], 'GET', `/users/${userId}`, rest));
    const allocated = new Map(user.allocated.map(({ organisationId, tokens }) => [organisationId, tokens]));
    const sum = [...allocated.values()].reduce((total, tokens) => total + tokens, user.free.tokens + user.purchased);
    if (sum !== user.balance) throw new Unexpected(`The read of ${userId} shows a balance of ${user.balance} and parts of ${sum}.`);
    if (user.owed !== 0) owed.set(`user ${userId}`, user.owed);
    books.users.set(userId, { free: user.free.tokens, purchased: user.purchased, allocated });
  });
  return books;
}
