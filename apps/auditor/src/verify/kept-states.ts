import { createHash } from 'node:crypto';
import { type DefaultLimits, type LimitOverride, UNLIMITED } from '@ledger/wallet';
import type { State } from './audited';
import type { Link } from './chain';
import { bigint, DERIVED, type Field, list, mapOf, maybe, same, setOf, Shape } from './kept-shape';
import { type Allocated, newAllocated, newOrganisation, type OrganisationState, type Parts } from './organisation-rules';
import { type KeptPolicy, type MemberTerms, OrganisationPolicy, type Since } from './policies';
import {
  type DeclinedDay,
  type LastKey,
  newRelationship,
  newUser,
  type ReachedNext,
  type Relationship,
  type UserState,
} from './user-state';

/**
 * What an audit knows of every wallet, as it goes into a state file: a line of JSON for each stream. Who changes what a field means, but
 * not its name, must raise the version of the format (`certificates/state-file.ts`); a change of names is noticed.
 */

const NO_LINK: Link = { revision: -1, hash: '', sound: true };
const LINK = new Shape<Link>({ revision: same, hash: same, sound: same }, () => ({ ...NO_LINK }));

const LAST_KEY = new Shape<LastKey>({ key: same, contentHash: maybe<string>(same), result: same, revision: same }, () => ({
  key: '',
  contentHash: undefined,
  result: '',
  revision: -1,
}));

const DECLINED_DAY = new Shape<DeclinedDay>({ month: same, tokens: same, missing: same }, () => ({ month: '', tokens: 0, missing: 0 }));

const REACHED_NEXT = new Shape<ReachedNext>({ organisationId: same, period: same, window: same, limit: same }, () => ({
  organisationId: '',
  period: '',
  window: '',
  limit: 0,
}));

const RELATIONSHIP = new Shape<Relationship>(
  {
    tokens: same,
    received: same,
    used: mapOf<number>(same),
    broughtBack: maybe(mapOf<number>(same)),
    reached: setOf,
    policyRevision: same,
    // Looked up again at the next draw.
    policy: DERIVED,
    terms: DERIVED,
    termsRevision: DERIVED,
  },
  newRelationship,
);

/** Relationships of the wallet itself, so they go by their names. */
const broughtBackIn: Field<Relationship[], UserState> = {
  write: (some, { relationships }) => [...relationships].filter(([, one]) => some.includes(one)).map(([organisationId]) => organisationId),
  read: (json, { relationships }) => (json as string[]).map((organisationId) => relationships.get(organisationId)!),
};

const USER = new Shape<UserState>(
  {
    // Both are in the name of the stream.
    kind: DERIVED,
    id: DERIVED,
    link: LINK,
    opened: same,
    at: same,
    position: same,
    free: same,
    month: same,
    granted: same,
    tokensPerMonth: same,
    purchased: same,
    purchasedTotal: same,
    owed: same,
    carriedPico: bigint,
    allocated: same,
    relationships: mapOf(RELATIONSHIP),
    lastOrganisationId: DERIVED,
    lastRelationship: DERIVED,
    reachedNext: list(REACHED_NEXT),
    lastKey: maybe(LAST_KEY),
    // It follows from the seed and the name.
    keys: DERIVED,
    declinedDay: maybe(DECLINED_DAY),
    prunedDay: same,
    keptSince: same,
    keptSinceMonth: same,
    unswept: same,
    broughtBackIn,
  },
  () => newUser('', { ...NO_LINK }),
);

const since = <Value>(value: Field<Value>, blank: Value): Field<Since<Value>> =>
  new Shape<Since<Value>>({ revision: same, value }, () => ({ revision: -1, value: blank }));

const TERMS = new Shape<MemberTerms>({ status: same, suspendedWhenRemoved: same, override: maybe<LimitOverride>(same) }, () => ({
  status: 'permitted',
  suspendedWhenRemoved: false,
  override: undefined,
}));

const POLICY = new Shape<KeptPolicy>(
  {
    revision: same,
    zones: list(since<string>(same, '')),
    defaults: list(since<DefaultLimits>(same, UNLIMITED)),
    members: mapOf(list(since(TERMS, TERMS.read(['permitted', false, null])))),
  },
  () => new OrganisationPolicy().kept(),
);

/** Draws look at the policy too, so it stays the object that they know. */
const policy: Field<OrganisationPolicy, OrganisationState> = {
  write: (value) => POLICY.write(value.kept()),
  read: (json, state) => {
    state.policy.restore(POLICY.read(json));
    return state.policy;
  },
};

const ALLOCATED = new Shape<Allocated>({ number: same, counters: mapOf<number>(same) }, newAllocated);

const PARTS = new Shape<Parts>(
  { allocationId: same, part: same, parts: same, tokens: same, lines: same, tokensTotal: same, lineCount: same },
  () => ({ allocationId: '', part: 0, parts: 0, tokens: 0, lines: 0, tokensTotal: 0, lineCount: 0 }),
);

const ORGANISATION = new Shape<OrganisationState>(
  {
    kind: DERIVED,
    id: DERIVED,
    link: LINK,
    policy,
    opened: same,
    at: same,
    position: same,
    available: same,
    purchasedTotal: same,
    owed: same,
    carriedPico: bigint,
    declinedDay: maybe(DECLINED_DAY),
    members: mapOf(ALLOCATED),
    parts: maybe(PARTS),
    lastKey: maybe(LAST_KEY),
    prunedDay: same,
  },
  () => newOrganisation('', { ...NO_LINK }, new OrganisationPolicy()),
);

const TABLES = { LINK, LAST_KEY, DECLINED_DAY, REACHED_NEXT, RELATIONSHIP, USER, TERMS, POLICY, ALLOCATED, PARTS, ORGANISATION };

/** Of the names of all fields: a file with others is not one that this program can read. */
export const SHAPES = createHash('sha256')
  .update(JSON.stringify(Object.entries(TABLES).map(([name, { names }]) => [name, names])))
  .digest('hex');

/** The line of a stream, without its end. */
export const lineOf = (stream: string, state: State): string =>
  JSON.stringify([stream, ...(state.kind === 'user' ? USER.write(state) : ORGANISATION.write(state))]);

/** Reads a line into a state that has no event yet. */
export function readLine(line: string, stateOf: (stream: string) => State | undefined): void {
  const [stream, ...fields] = JSON.parse(line) as [string, ...unknown[]];
  const state = stateOf(stream);
  if (state?.kind === 'user') USER.readInto(fields, state);
  else if (state) ORGANISATION.readInto(fields, state);
}
