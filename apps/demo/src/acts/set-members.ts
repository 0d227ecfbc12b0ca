import { adminOf, type Act } from '../day';
import { bodyOf, Unexpected } from '../ledger-api';

/** Default limits first, then all members of an organisation in one command, some with an override of their own. */
export const setDefaultLimits: Act = async (day) => {
  const { organisations, dailyLimit, monthlyLimit, allocationDailyLimit } = day.school;
  const body = { usage: { daily: dailyLimit, monthly: monthlyLimit }, allocation: { daily: allocationDailyLimit, monthly: null } };
  for (const { id } of organisations) await adminOf(day, id).expect([200], 'PATCH', `/organisations/${id}/limits`, { body });
  day.tell(
    `By default a member may spend ${dailyLimit} tokens a day and ${monthlyLimit} a month, and be given ${allocationDailyLimit} a day.`,
  );
};

export const permitMembers: Act = async (day) => {
  const { organisations, dailyLimit, cast } = day.school;
  const tighter = Math.max(1, Math.trunc(dailyLimit / 4));
  for (const { id, members } of organisations) {
    const body = {
      members: members.map((userId) => ({
        userId,
        status: 'permitted',
        ...(cast.tightDay.includes(userId) && { limits: { usage: { daily: tighter } } }),
      })),
    };
    const path = `/organisations/${id}/members/batch`;
    const answer = bodyOf<{ members: number; changed: number }>(
      await adminOf(day, id).expect([200], 'POST', path, { body, key: 'members-1' }),
    );
    if (answer.members !== members.length || answer.changed !== members.length)
      throw new Unexpected(`${id} permitted ${members.length} members and was told ${answer.members}, ${answer.changed} changed.`);
    day.tell(`${id} permits ${members.length} members in one command.`);
  }
};

/** One member without limits, some whose month is tighter than the default day. */
export const setOverrides: Act = async (day) => {
  const { organisations, dailyLimit, cast } = day.school;
  const month = Math.max(1, Math.trunc(dailyLimit / 2));
  for (const { id, members } of organisations) {
    const override = (userId: string, body: object) =>
      adminOf(day, id).expect([200], 'PUT', `/organisations/${id}/members/${userId}/limits`, { body });
    if (members.includes(cast.unlimited))
      await override(cast.unlimited, { usage: { daily: null, monthly: null }, allocation: { daily: null, monthly: null } });
    for (const userId of cast.tightMonth.filter((userId) => members.includes(userId)))
      await override(userId, { usage: { monthly: month } });
  }
  day.tell(
    `${cast.unlimited} has no limits; ${cast.tightMonth.join(' and ')} may spend ${month} a month; ${cast.tightDay.join(', ')} a quarter of the default day.`,
  );
};

/** After the allocation: some are suspended, one leaves the school. */
export const suspendMembers: Act = async (day) => {
  const { organisations, cast } = day.school;
  for (const { id, members } of organisations) {
    const path = (userId: string) => `/organisations/${id}/members/${userId}`;
    for (const userId of cast.suspended.filter((userId) => members.includes(userId)))
      await adminOf(day, id).expect([200], 'PUT', path(userId), { body: { status: 'suspended' } });
    if (members.includes(cast.leaver)) await adminOf(day, id).expect([200], 'DELETE', path(cast.leaver));
  }
  day.tell(`${cast.suspended.length} members are suspended; ${cast.leaver} leaves and may still use what was allocated.`);
};
