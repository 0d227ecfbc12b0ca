import { adminOf, type Act } from '../day';
import { bodyOf, Unexpected, type MemberAnswer, type UserAnswer } from '../ledger-api';

interface Affordability {
  affordable: boolean;
  blockedBy: { code: string; detail: string }[];
}

/** What people look at after the day: the admin the blocked members, a member the own wallet, a service what would pass. */
export const lookAround: Act = async (day) => {
  const { organisations } = day.school;
  const rest = day.position === undefined ? {} : { position: day.position };
  for (const { id } of organisations) {
    const path = `/organisations/${id}/members?blocked=true&limit=500`;
    const { data } = bodyOf<{ data: MemberAnswer[] }>(await adminOf(day, id).expect([200], 'GET', path, rest));
    const suspended = data.filter(({ status }) => status === 'suspended').length;
    day.tell(`The admin of ${id} sees ${data.length} blocked members: ${suspended} suspended, ${data.length - suspended} out of a limit.`);
  }

  const { userId, api } = day.member;
  const wallet = bodyOf<UserAnswer>(await api.expect([200], 'GET', `/users/${userId}`, rest));
  const tokens = wallet.balance + 1;
  const { affordable, blockedBy } = bodyOf<Affordability>(
    await api.expect([200], 'GET', `/users/${userId}/affordability?tokens=${tokens}`, rest),
  );
  if (affordable || !blockedBy[0]) throw new Unexpected(`${userId} has ${wallet.balance} tokens and could afford ${tokens}.`);
  await api.refused('FORBIDDEN', 'GET', `/users/${day.school.byRank.find((other) => other !== userId)!}`);
  day.tell(
    `${userId} looks at the own wallet: ${wallet.balance} tokens. Somebody else's may not be seen. ${tokens} tokens? ${blockedBy[0].detail}`,
  );
};

/** Named by their organisation, suspended members are refused whatever else they hold. */
export const trySuspended: Act = async (day) => {
  const { organisations, cast } = day.school;
  for (const userId of cast.suspended) {
    const organisationId = organisations.find(({ members }) => members.includes(userId))!.id;
    const body = { tokens: 1, organisationId };
    await day.platform.refused('MEMBER_SUSPENDED', 'POST', `/users/${userId}/usages`, { body, key: 'suspended-1' });
  }
};
