import { instantOf, type EventType, ORGANISATION_EVENT_TYPES, USER_EVENT_TYPES } from '@ledger/wallet';
import { paging, type QueryParameter } from './query-parameters';

/** What a statement, and a balance of the past, are asked by. */

const INSTANT_SCHEMA = { type: 'string', format: 'date-time' } as const;
const INSTANT_MESSAGE = 'must be an instant in UTC such as 2026-11-01T00:00:00.000Z';

const instant = (description: string): QueryParameter<number> => ({
  schema: { ...INSTANT_SCHEMA, description },
  message: INSTANT_MESSAGE,
  read: instantOf,
});

/** One type, or several separated by commas. */
const typesOf = <Type extends EventType>(...types: Type[]): QueryParameter<Type[]> => ({
  schema: { type: 'string', description: `Types separated by commas, of ${types.join(', ')}` },
  message: `must be one or more of ${types.join(', ')}, separated by commas`,
  read: (text) => {
    const asked = text.split(',').map((name) => types.find((type) => type === name));
    return asked.every((type) => type !== undefined) ? asked : undefined;
  },
});

const period = {
  ...paging,
  from: instant('Entries at this instant or later'),
  to: instant('Entries before this instant'),
};
export const ORGANISATION_STATEMENT = {
  ...period,
  type: typesOf(...ORGANISATION_EVENT_TYPES),
};
export const USER_STATEMENT = {
  ...period,
  type: typesOf(...USER_EVENT_TYPES),
};

/** Before it there was no wallet, and years too far away have no months. */
const FIRST_YEAR = '1970';
export const AT = {
  at: {
    ...instant('The instant, events of it included; now when left out. It may not lie in the future'),
    message: `${INSTANT_MESSAGE}, of the year ${FIRST_YEAR} or later`,
    read: (text: string) => (text >= FIRST_YEAR ? instantOf(text) : undefined),
  },
};
