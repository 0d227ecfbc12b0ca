import { PRICE_TABLE } from '@ledger/wallet';
import { Audit } from '../../apps/auditor/src/verify/audit';
import type { AuditOptions, State } from '../../apps/auditor/src/verify/audited';
import { sentenceOf } from '../../apps/auditor/src/verify/finding';
import { FLOWS, type Earlier, statesOf } from '../../apps/auditor/src/verify/kept';
import { sha256 } from '../../apps/auditor/src/verify/chain';
import { BUCKETS, EntryLog } from '../../apps/auditor/src/verify/entries';
import { KINDS } from '../../apps/auditor/src/verify/entry';
import { newOrganisation } from '../../apps/auditor/src/verify/organisation-rules';
import { SHAPES } from '../../apps/auditor/src/verify/kept-states';
import { STATE_FORMAT } from '../../apps/auditor/src/certificates/state-file';
import { OrganisationPolicy } from '../../apps/auditor/src/verify/policies';
import { returnable } from '../../apps/auditor/src/verify/reversal-rules';
import { newRelationship, newUser } from '../../apps/auditor/src/verify/user-state';
import { randomRows, type Row } from './tamper-store';

/** Every field of every state comes back from its line as it was. */

const WORLDS = 6;
const seed = Number(process.env.TAMPER_SEED ?? Date.now() % 2 ** 31);
beforeAll(() => void process.stdout.write(`kept states: TAMPER_SEED=${seed}\n`));

const options: AuditOptions = { seed: [7, 11], priceTables: [PRICE_TABLE] };
const NO_ENTRIES = { bytesIn: () => 0, wordsIn: () => [] };
const event = (row: Row, index: number) => ({ ...row, position: index + 1 });

/** An audit that knows what another one knows, by way of the lines of a state file. */
function restored(audit: Audit): Audit {
  const lines = [...statesOf(audit)].map((bytes) => new TextDecoder().decode(bytes)).join('').split('\n').slice(0, -1); // prettier-ignore
  const flows = Object.fromEntries(FLOWS.map((name) => [name, String(audit.flows[name].value)])) as Earlier['summary']['flows'];
  const summary = {
    mark: '',
    position: 0,
    events: audit.events,
    seed: options.seed,
    flows,
    inTransit: [...audit.flows.inTransit],
    unknownPriceTables: [...audit.unknownPriceTables],
  };
  return new Audit(options, { summary, states: () => lines, entries: NO_ENTRIES });
}

/** A state without what is found again. */
function essence(state: State): unknown {
  if (state.kind === 'organisation') return state;
  const relationships = new Map(
    [...state.relationships].map(([id, one]) => [id, { ...one, policy: undefined, terms: undefined, termsRevision: -1 }]),
  );
  const broughtBackIn = state.broughtBackIn.map((one) => [...state.relationships].find(([, each]) => each === one)?.[0]);
  return { ...state, relationships, broughtBackIn, lastOrganisationId: '', lastRelationship: undefined, keys: undefined };
}

const essences = (audit: Audit) => new Map(Array.from(audit.streams(), ([stream, state]) => [stream, essence(state)]));

/** Fields in which some state differed from a new one, as `user.owed`. */
function unlikeNew(seen: Set<string>, name: string, value: object, blank: object): void {
  for (const [field, each] of Object.entries(value))
    if (JSON.stringify(plain(each)) !== JSON.stringify(plain((blank as Record<string, unknown>)[field]))) seen.add(`${name}.${field}`);
}
const plain = (value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value instanceof Map || value instanceof Set ? [...value].length : value;

it('gives back every state of random worlds after every event', () => {
  for (let world = 0; world < WORLDS; world += 1) {
    const audit = new Audit(options);
    randomRows(seed + world).forEach((row, index) => {
      audit.add(event(row, index));
      const again = restored(audit);
      expect(essences(again)).toStrictEqual(essences(audit));
      expect([...again.heads()]).toEqual([...audit.heads()]);
      for (const name of FLOWS) expect(again.flows[name].value).toBe(audit.flows[name].value);
      expect(again.flows.inTransit).toEqual(audit.flows.inTransit);
      expect(again.events).toBe(audit.events);
    });
    expect(audit.findings.kept.map(sentenceOf)).toEqual([]);
  }
});

it('gives back what random worlds seldom hold, and every field was tried', () => {
  const audit = new Audit(options);
  randomRows(seed).forEach((row, index) => audit.add(event(row, index)));
  for (const [, state] of audit.streams()) {
    state.carriedPico = 2n ** 70n + 1n;
    state.lastKey = { key: '"\\\u2028\n[', contentHash: undefined, result: '{"a":\n"€\ud83d\ude00"}', revision: 2 ** 40 };
    state.position = 2 ** 52 + 1;
    state.link.sound = false;
    state.declinedDay = { month: '2026-11', tokens: 3, missing: 1 };
    Object.assign(state, { owed: 5, prunedDay: '2026-11-23', purchasedTotal: 10 ** 12 });
    if (state.kind === 'organisation') {
      state.parts = { allocationId: 'a', part: 1, parts: 3, tokens: 5, lines: 2, tokensTotal: 9, lineCount: 4 };
      state.policy.add({ type: 'LimitSet', data: { overrides: [{ userId: 'z', limits: { usage: { daily: null } } }] } } as never, 99);
    } else {
      const relationship = [...state.relationships.values()].at(-1)!;
      Object.assign(state, { free: 1, month: '2026-11', granted: 2, tokensPerMonth: 3, purchased: 4, allocated: 5, unswept: 6 });
      Object.assign(state, { keptSince: '2026-11-20', keptSinceMonth: '2026-11' });
      Object.assign(relationship, { tokens: 7, received: 8, policyRevision: 9, reached: new Set(['2026-11|7', '2026-11-23|0']) });
      // Ids that are numbers keep their place.
      state.relationships.set('10', { ...relationship, used: new Map([['2026-11', 1]]), broughtBack: new Map([['2026-11', 2]]) });
      state.relationships.set('9', newRelationship());
      state.broughtBackIn = [state.relationships.get('10')!];
      state.reachedNext = [{ organisationId: '10', period: 'daily', window: '2026-11-23', limit: 0 }];
    }
  }
  audit.unknownPriceTables.add('2020-01');
  const again = restored(audit);
  expect(essences(again)).toStrictEqual(essences(audit));
  expect(again.unknownPriceTables).toEqual(audit.unknownPriceTables);
  for (const [stream, state] of audit.streams())
    if (state.kind === 'user') expect([...(again.stateNamed(stream) as typeof state).relationships.keys()]).toEqual([...state.relationships.keys()]); // prettier-ignore
  const seen = new Set<string>();
  const link = { revision: -1, hash: '', sound: true };
  for (const [, state] of audit.streams()) {
    if (state.kind === 'user') {
      unlikeNew(seen, 'user', state, newUser('', link));
      for (const one of state.relationships.values()) unlikeNew(seen, 'relationship', one, newRelationship());
    } else unlikeNew(seen, 'organisation', state, newOrganisation('', link, new OrganisationPolicy()));
  }
  const wanted = {
    user: Object.keys(newUser('', link)),
    organisation: Object.keys(newOrganisation('', link, new OrganisationPolicy())),
    relationship: ['tokens', 'received', 'used', 'broughtBack', 'reached', 'policyRevision'],
  };
  const never = Object.entries(wanted).flatMap(([name, fields]) => fields.map((field) => `${name}.${field}`)).filter((name) => !seen.has(name)); // prettier-ignore
  // The kind is in the name of the stream, and so are the keys, which only a page needs.
  expect(never).toEqual(['user.kind', 'user.keys', 'organisation.kind']);
});

/** Who sees this fail has changed what stands in a state file: the number in STATE_FORMAT must grow. */
it('knows what stands in the entries of this format', () => {
  const log = new EntryLog([7, 11]);
  KINDS.forEach((kind, number) => log.add(kind, 2 ** 40 + number, 2 ** 48 + number, 'part', 'another €'));
  const words = Array.from({ length: BUCKETS }, (_, bucket) => [...log.wordsIn(bucket)].flatMap((run) => [...run])).flat();
  const usage = {
    tokens: 2 ** 33,
    freeMonth: '2026-11',
    charged: [{ source: 'free', tokens: 3 }, { source: 'allocated', organisationId: 'acme', tokens: 4 }], // prettier-ignore
    considered: [{ organisationId: 'acme', tokens: 4, windows: { daily: { window: '2026-11-23' }, monthly: { window: '2026-11' } } }],
  } as unknown as Parameters<typeof returnable>[2];
  expect([STATE_FORMAT, SHAPES, sha256(words.join()), returnable(log, 'ann', usage)]).toEqual([
    'token-ledger-audit-state/1',
    '4e06d951f7d4f531b2d503da3ca0e11b87ebf48bb6cc16cb2fcc634928c8d228',
    'f7e7a59f97108e51f77ed615aa31dab7e0634f1b185b03bab6b1e657c7a0baff',
    549890383015877,
  ]);
});
