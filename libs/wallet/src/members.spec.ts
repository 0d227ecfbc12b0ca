import type { LimitOverride } from './events';
import { clearMemberLimits, removeMember, setDefaultLimits, setMember, setMemberLimits, setMembers } from './members';
import { policyFor } from './organisation-wallet';
import { defaultLimits, opened, override, permitted, removed, resumed, suspended } from './testing/facts';
import { given } from './testing/given';

const NOON = '2026-11-23T12:00:00.000Z';
const permit = { userId: 'u1', status: 'permitted' } as const;
const suspend = { userId: 'u1', status: 'suspended' } as const;
const u1 = { at: NOON, userIds: ['u1'] };

describe('permission', () => {
  it('permits, suspends, resumes and removes, and says nothing the second time', () => {
    given(opened())
      .when(setMember, permit, NOON)
      .then([{ type: 'MemberPermitted', data: u1 }])
      .when(setMember, permit, NOON)
      .thenNothing()
      .when(setMember, suspend, NOON)
      .then([{ type: 'MemberSuspended', data: u1 }])
      .when(setMember, suspend, NOON)
      .thenNothing()
      .when(setMember, permit, NOON)
      .then([{ type: 'MemberResumed', data: u1 }])
      .when(removeMember, { userId: 'u1' }, NOON)
      .then([{ type: 'MemberRemoved', data: u1 }])
      .when(removeMember, { userId: 'u1' }, NOON)
      .thenNothing()
      .when(setMember, permit, NOON)
      .then([{ type: 'MemberPermitted', data: u1 }]);
  });

  it('may begin with a suspension', () => {
    given(opened())
      .when(setMember, suspend, NOON)
      .then([{ type: 'MemberSuspended', data: u1 }]);
  });

  it('records a keyed command that changes nothing, and a late retry of it undoes nothing', () => {
    const acme = given(opened(), permitted('u1'));
    acme
      .when(setMember, permit, NOON, { key: 'k1' })
      .then([{ type: 'MemberPermitted', data: u1 }])
      .and(NOON, suspended('u1'))
      .when(setMember, permit, NOON, { key: 'k1' })
      .thenReplayed(2);
    expect(acme.wallet.members.get('u1')?.status).toBe('suspended');
    acme
      .when(setMember, suspend, NOON, { key: 'k2' })
      .then([{ type: 'MemberSuspended' }])
      .and(NOON, removed('u1'))
      .when(removeMember, { userId: 'u1' }, NOON, { key: 'k3' })
      .then([{ type: 'MemberRemoved' }]);
  });

  it('knows who was never a member', () => {
    const facts = { organisationId: 'acme', userId: 'u1' };
    given(opened())
      .when(removeMember, { userId: 'u1' }, NOON)
      .thenRefused('MEMBER_NOT_FOUND', facts)
      .when(setMemberLimits, { userId: 'u1', usage: { daily: 1 } }, NOON)
      .thenRefused('MEMBER_NOT_FOUND', facts)
      .when(clearMemberLimits, { userId: 'u1' }, NOON)
      .thenRefused('MEMBER_NOT_FOUND', facts);
  });

  it.each([
    ['permitted', [permitted('u1')], 'permitted', true],
    ['suspended', [permitted('u1'), suspended('u1')], 'suspended', false],
    ['resumed', [suspended('u1'), resumed('u1')], 'permitted', true],
    ['removed', [permitted('u1'), removed('u1')], 'removed', true],
    ['suspended, then removed', [suspended('u1'), removed('u1')], 'removed', false],
    ['suspended, then removed twice', [suspended('u1'), removed('u1'), removed('u1')], 'removed', false],
    ['back after a suspended removal', [suspended('u1'), removed('u1'), permitted('u1')], 'permitted', true],
    ['removed again after that', [suspended('u1'), removed('u1'), permitted('u1'), removed('u1')], 'removed', true],
    ['back as suspended', [permitted('u1'), removed('u1'), suspended('u1')], 'suspended', false],
    ['never a member', [], 'removed', true],
  ] as const)('lets a member who is %s use what was allocated, or not', (_, facts, status, usable) => {
    const { wallet } = given(opened('Asia/Tokyo'), ...facts);
    expect(policyFor(wallet, 'u1')).toMatchObject({ status, usable, revision: facts.length, timeZone: 'Asia/Tokyo' });
  });

  it('is nothing without an organisation', () => {
    expect(policyFor(given().wallet, 'u1')).toBeNull();
    const facts = { organisationId: 'acme' };
    given()
      .when(setMember, permit, NOON)
      .thenRefused('ORGANISATION_NOT_FOUND', facts)
      .when(removeMember, { userId: 'u1' }, NOON)
      .thenRefused('ORGANISATION_NOT_FOUND', facts)
      .when(setMembers, { members: [permit] }, NOON)
      .thenRefused('ORGANISATION_NOT_FOUND', facts)
      .when(setDefaultLimits, {}, NOON)
      .thenRefused('ORGANISATION_NOT_FOUND', facts)
      .when(setMemberLimits, { userId: 'u1' }, NOON)
      .thenRefused('ORGANISATION_NOT_FOUND', facts)
      .when(clearMemberLimits, { userId: 'u1' }, NOON)
      .thenRefused('ORGANISATION_NOT_FOUND', facts);
  });
});

describe('the default limits', () => {
  const none = { daily: null, monthly: null };

  it('change field by field; a field left out keeps what it was', () => {
    given(opened())
      .when(setDefaultLimits, { usage: { daily: 50 } }, NOON)
      .then([{ type: 'LimitSet', data: { at: NOON, default: { usage: { daily: 50, monthly: null }, allocation: none } } }])
      .when(setDefaultLimits, { usage: { monthly: 0 }, allocation: { daily: 7 } }, NOON)
      .then([{ type: 'LimitSet', data: { default: { usage: { daily: 50, monthly: 0 }, allocation: { daily: 7, monthly: null } } } }])
      .when(setDefaultLimits, { usage: { daily: null }, allocation: { monthly: 9 } }, NOON)
      .then([{ type: 'LimitSet', data: { default: { usage: { daily: null, monthly: 0 }, allocation: { daily: 7, monthly: 9 } } } }])
      .when(setDefaultLimits, { usage: { daily: null, monthly: 0 } }, NOON)
      .thenNothing()
      .when(setDefaultLimits, {}, NOON)
      .thenNothing()
      .when(setDefaultLimits, {}, NOON, { key: 'k1' })
      .then([{ type: 'LimitSet', data: { default: { usage: { daily: null, monthly: 0 }, allocation: { daily: 7, monthly: 9 } } } }]);
  });

  it('are overridden by a member field by field, at the moment of the decision', () => {
    const acme = given(opened(), permitted('u1'), defaultLimits({ usage: { daily: 50, monthly: 500 } }));
    const limits = () => policyFor(acme.wallet, 'u1')?.limits;
    const byDefault = (limit: number | null) => ({ limit, source: 'default' });
    const byMember = (limit: number | null) => ({ limit, source: 'member' });
    expect(limits()).toEqual({ daily: byDefault(50), monthly: byDefault(500) });
    acme.and(NOON, override('u1', { usage: { daily: 0 } }));
    expect(limits()).toEqual({ daily: byMember(0), monthly: byDefault(500) });
    acme.and(NOON, override('u1', { usage: { monthly: null } }));
    expect(limits()).toEqual({ daily: byDefault(50), monthly: byMember(null) });
    acme.and(NOON, defaultLimits({ usage: { daily: 60 } }));
    expect(limits()).toEqual({ daily: byDefault(60), monthly: byMember(null) });
    acme.and(NOON, override('u1', { allocation: { daily: 1 } }));
    expect(limits()).toEqual({ daily: byDefault(60), monthly: byDefault(null) });
    expect(policyFor(acme.wallet, 'u2')?.limits).toEqual({ daily: byDefault(60), monthly: byDefault(null) });
  });
});

describe("a member's limits", () => {
  it('are replaced whole, cleared, and said once', () => {
    given(opened(), permitted('u1'))
      .when(setMemberLimits, { userId: 'u1', usage: { daily: 5, monthly: null } }, NOON)
      .then([{ type: 'LimitSet', data: { at: NOON, overrides: [{ userId: 'u1', limits: { usage: { daily: 5, monthly: null } } }] } }])
      .when(setMemberLimits, { userId: 'u1', usage: { monthly: null, daily: 5 } }, NOON)
      .thenNothing()
      .when(setMemberLimits, { userId: 'u1', allocation: { daily: 0 } }, NOON)
      .then([{ type: 'LimitSet', data: { overrides: [{ userId: 'u1', limits: { allocation: { daily: 0 } } }] } }])
      .when(clearMemberLimits, { userId: 'u1' }, NOON)
      .then([{ type: 'LimitCleared', data: u1 }])
      .when(clearMemberLimits, { userId: 'u1' }, NOON)
      .thenNothing()
      .when(clearMemberLimits, { userId: 'u1' }, NOON, { key: 'k1' })
      .then([{ type: 'LimitCleared', data: u1 }]);
  });

  it('differ where one says null and the other leaves the field out', () => {
    const limits = (acme: ReturnType<typeof given>) => acme.wallet.members.get('u1')?.override;
    const acme = given(opened(), permitted('u1'), override('u1', { usage: { daily: 5, monthly: null } }));
    acme.when(setMemberLimits, { userId: 'u1', usage: { daily: 5 } }, NOON).then([{ type: 'LimitSet' }]);
    expect(limits(acme)).toEqual({ usage: { daily: 5 } });
  });

  it('bind removed members too', () => {
    const acme = given(opened(), permitted('u1'), removed('u1'));
    acme
      .when(setMemberLimits, { userId: 'u1', usage: { daily: 3 } }, NOON)
      .then([{ type: 'LimitSet' }])
      .when(clearMemberLimits, { userId: 'u1' }, NOON)
      .then([{ type: 'LimitCleared' }])
      .when(setMemberLimits, { userId: 'u1', usage: { daily: 3 } }, NOON, { key: 'k1' })
      .then([{ type: 'LimitSet' }])
      .when(setMemberLimits, { userId: 'u1', usage: { daily: 3 } }, NOON, { key: 'k2' })
      .then([{ type: 'LimitSet' }]);
    expect(policyFor(acme.wallet, 'u1')).toMatchObject({ status: 'removed', limits: { daily: { limit: 3, source: 'member' } } });
  });
});

describe('a batch of members', () => {
  const members = (count: number, extra: object = {}) =>
    Array.from({ length: count }, (_, index) => ({ userId: `m${index}`, status: 'permitted' as const, ...extra }));

  it('sets states and limits at once, and keeps its answer in each event', () => {
    const limits: LimitOverride = { usage: { daily: 5 } };
    const batch = { members: 5, changed: 4 };
    given(opened(), permitted('same', 'stops'), suspended('back'), permitted('cleared'), override('cleared', limits))
      .when(
        setMembers,
        {
          members: [
            { userId: 'new', status: 'permitted', limits },
            { userId: 'stops', status: 'suspended' },
            { userId: 'back', status: 'permitted' },
            { userId: 'same', status: 'permitted' },
            { userId: 'cleared', status: 'permitted', limits: null },
          ],
        },
        NOON,
        { key: 'k1' },
      )
      .then([
        { type: 'MemberPermitted', data: { at: NOON, userIds: ['new', 'same', 'cleared'], batch } },
        { type: 'MemberSuspended', data: { userIds: ['stops'], batch } },
        { type: 'MemberResumed', data: { userIds: ['back'], batch } },
        { type: 'LimitSet', data: { overrides: [{ userId: 'new', limits }], batch } },
        { type: 'LimitCleared', data: { userIds: ['cleared'], batch } },
      ]);
  });

  it('counts what changes: states, rejoining, limits that differ, limits that are there to clear', () => {
    const changed = (line: object, ...facts: Parameters<typeof given>) => {
      const outcome = given(opened(), ...facts).when(setMembers, { members: [{ ...permit, ...line }] }, NOON, { key: 'k1' });
      return (outcome.verdict.events[0]?.data as { batch?: { changed: number } } | undefined)?.batch?.changed;
    };
    const limited = override('u1', { usage: { daily: 5 } });
    expect(changed({}, permitted('u1'))).toBe(0);
    expect(changed({})).toBe(1);
    expect(changed({}, permitted('u1'), removed('u1'))).toBe(1);
    expect(changed({}, permitted('u1'), suspended('u1'))).toBe(1);
    expect(changed({ limits: { usage: { daily: 5 } } }, permitted('u1'), limited)).toBe(0);
    expect(changed({ limits: { usage: { daily: 6 } } }, permitted('u1'), limited)).toBe(1);
    expect(changed({ limits: { usage: { daily: 5 } } }, permitted('u1'))).toBe(1);
    expect(changed({ limits: null }, permitted('u1'), limited)).toBe(1);
    expect(changed({ limits: null }, permitted('u1'))).toBe(0);
    expect(changed({}, permitted('u1'), limited)).toBe(0);
  });

  it.each([1, 2])('refuses a member named twice, all or nothing (line %d)', (index) => {
    const lines = members(3);
    lines[index] = { userId: 'm0', status: 'permitted' };
    const acme = given(opened());
    acme
      .when(setMembers, { members: lines }, NOON)
      .thenRefused('DUPLICATE_MEMBER', { failedLines: 1, lines: [{ index, userId: 'm0', code: 'DUPLICATE_MEMBER' }] });
    expect(acme.wallet.members.size).toBe(0);
  });

  it('names the first 100 failing lines and counts all', () => {
    const lines = Array.from({ length: 102 }, () => ({ userId: 'm0', status: 'permitted' as const }));
    const { refusal } = given(opened()).when(setMembers, { members: lines }, NOON).verdict;
    expect(refusal?.facts.failedLines).toBe(101);
    expect(refusal?.facts.lines).toHaveLength(100);
  });

  it('splits at 1,000 names per event', () => {
    const sizes = (count: number) =>
      given(opened())
        .when(setMembers, { members: members(count) }, NOON)
        .verdict.events.map((event) => (event.type === 'MemberPermitted' ? event.data.userIds.length : -1));
    expect(sizes(1_000)).toEqual([1_000]);
    expect(sizes(1_001)).toEqual([1_000, 1]);
    expect(sizes(10_000)).toEqual(Array(10).fill(1_000));
  });

  it('replays under its key, whatever came after', () => {
    const acme = given(opened());
    acme
      .when(setMembers, { members: [permit] }, NOON, { key: 'k1' })
      .then([{ type: 'MemberPermitted', data: { batch: { members: 1, changed: 1 } } }])
      .and(NOON, removed('u1'))
      .when(setMembers, { members: [permit] }, NOON, { key: 'k1' })
      .thenReplayed(1);
    expect(acme.wallet.members.get('u1')?.status).toBe('removed');
  });
});
