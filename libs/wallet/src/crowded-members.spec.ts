import type { SetMember, SetMembers } from './commands';
import { ORGANISATIONS_MAX, setMember, setMembers } from './members';
import { openOrganisation } from './organisation-wallet';
import { organisationLog, SETTINGS, type Surroundings } from './testing/log';

/** A user is a member of a bounded number of organisations (design section 2). */
describe('a user who is a member of many organisations', () => {
  const at = Date.parse('2026-11-23T12:00:00.000Z');

  function acme(memberships: Record<string, number>) {
    const log = organisationLog('acme');
    const around: Surroundings = { settings: SETTINGS, policy: () => null, memberships: (userId) => memberships[userId] ?? 0 };
    log.run(openOrganisation, {}, { at, newId: 'open' }, around);
    return {
      permit: (userId: string) => log.run<SetMember>(setMember, { userId, status: 'permitted' }, { at, newId: 'permit' }, around),
      permitAll: (...userIds: string[]) => {
        const members = userIds.map((userId) => ({ userId, status: 'permitted' as const }));
        return log.run<SetMembers>(setMembers, { members }, { at, newId: 'batch', key: 'batch' }, around);
      },
    };
  }

  it('is permitted once more just below the bound, and refused at it', () => {
    expect(acme({ u1: ORGANISATIONS_MAX - 1 }).permit('u1').events).toHaveLength(1);
    const { events, refusal } = acme({ u1: ORGANISATIONS_MAX }).permit('u1');
    expect([refusal?.code, events]).toEqual(['TOO_MANY_ORGANISATIONS', []]);
  });

  it('refuses a whole batch and names the line', () => {
    const { events, refusal } = acme({ u2: ORGANISATIONS_MAX }).permitAll('u1', 'u2', 'u3');
    expect(events).toEqual([]);
    expect(refusal?.facts).toEqual({ failedLines: 1, lines: [{ index: 1, userId: 'u2', code: 'TOO_MANY_ORGANISATIONS' }], maximum: 1_000 });
  });

  it('says nothing of a member of this organisation, however many others there are', () => {
    const memberships: Record<string, number> = { u1: 0 };
    const { permit, permitAll } = acme(memberships);
    permit('u1');
    memberships['u1'] = ORGANISATIONS_MAX;
    expect(permitAll('u1').refusal).toBeUndefined();
  });
});
