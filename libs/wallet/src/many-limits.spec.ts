import { defaultLimits, opened, permitted, received, walletOpened } from './testing/facts';
import { givenUser } from './testing/given';
import { use } from './usage';

const NOON = '2026-11-23T12:00:00.000Z';
const ORGANISATIONS = Array.from({ length: 120 }, (_, number) => `school-${number}`);

it('records the limits that refuse a draw a hundred at a time, and the others with the next refusal', () => {
  const user = givenUser(walletOpened(), ...ORGANISATIONS.map((organisationId) => received(organisationId, 10)));
  for (const organisationId of ORGANISATIONS) user.under(organisationId, opened(), permitted('u1'), defaultLimits({ usage: { daily: 0 } }));
  const recorded = () => {
    const { events, refusal } = user.when(use, { tokens: 5, sources: ['allocated'] }, NOON).verdict;
    return [refusal?.code, events.filter(({ type }) => type === 'LimitReached').length];
  };
  expect([recorded(), recorded(), recorded()]).toEqual([
    ['LIMIT_EXCEEDED', 100],
    ['LIMIT_EXCEEDED', 20],
    ['LIMIT_EXCEEDED', 0],
  ]);
});
