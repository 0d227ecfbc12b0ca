import type { WalletCommand } from '../commands';
import type { Decision, PlatformSettings, Verdict } from '../decision';
import type { WalletEvent } from '../events';
import type { OrganisationWallet } from '../organisation-wallet';
import type { RefusalCode } from '../refusal';
import type { Remembered } from '../remembered';
import type { UserWallet } from '../user-wallet';
import type { Fact, OrganisationFact, UserFact } from './facts';
import { type Body, organisationLog, policyOf, SETTINGS, type Surroundings, userLog, type WalletLog } from './log';

/**
 * `given(opened(), purchased(1_000)).when(allocate, { lines }, noon).then([...])`: what has happened, what is asked, what must
 * come of it. What a decision says is recorded, so that a test may go on with another `when`.
 */

/** When facts happened, unless a test says otherwise: before any instant that tests decide at. */
export const LONG_AGO = '2026-10-05T08:00:00.000Z';

const ms = (at: string): number => Date.parse(at);

export interface Key {
  key?: string;
  /** Stands for other content under the same key; without it the content follows from the body. */
  contentHash?: string;
}

/** An expected event: its data may name a part of the fields; what is named must be equal. */
export interface ExpectedEvent {
  type: WalletEvent['type'];
  data?: object;
}

export class Scenario<Wallet extends { keys: Remembered }> {
  private asks = 0;

  constructor(
    readonly log: WalletLog<Wallet>,
    readonly around: Surroundings,
    facts: readonly Fact<Wallet>[],
  ) {
    this.and(LONG_AGO, ...facts);
  }

  get wallet(): Wallet {
    return this.log.wallet;
  }

  get stored(): WalletEvent[] {
    return this.log.events.map(({ event }) => event);
  }

  /** More facts, which happened at `at`. */
  and(at: string, ...facts: Fact<Wallet>[]): this {
    const envelope = { actor: 'tester', role: 'platform', requestId: 'fact', correlationId: 'fact' };
    for (const fact of facts) this.log.record([fact(this.log.wallet, ms(at))], envelope, ms(at));
    return this;
  }

  when<Command extends WalletCommand>(decide: Decision<Wallet, Command>, body: Body<Command>, at: string, key: Key = {}): Outcome<Wallet> {
    this.asks += 1;
    this.log.asked = [];
    const verdict = this.log.run(decide, body, { at: ms(at), newId: `id-${this.asks}`, ...key }, this.around);
    return new Outcome(this, verdict);
  }
}

/** Has `then`, so never return one from a test: assert it. What follows an assertion is the scenario again. */
export class Outcome<Wallet extends { keys: Remembered }> {
  constructor(
    private readonly scenario: Scenario<Wallet>,
    readonly verdict: Verdict,
  ) {}

  /** Exactly these events in this order; of each, at least these fields. */
  then(expected: readonly ExpectedEvent[]): Scenario<Wallet> {
    const { events, refusal, replayOf } = this.verdict;
    expect({ refusal: refusal?.message, replayOf }).toEqual({ refusal: undefined, replayOf: undefined });
    expect(events.map(({ type }) => type)).toEqual(expected.map(({ type }) => type));
    expected.forEach(({ data }, index) => {
      if (data) expect(events[index]?.data).toMatchObject(data);
    });
    return this.scenario;
  }

  /** Nothing new to say, so nothing is said. */
  thenNothing(): Scenario<Wallet> {
    return this.then([]);
  }

  /** The result that begins at this revision, again; nothing is recorded. */
  thenReplayed(replayOf: number): Scenario<Wallet> {
    expect(this.verdict).toEqual({ events: [], replayOf });
    return this.scenario;
  }

  /** Refused with at least these facts, recording exactly these events. */
  thenRefused(code: RefusalCode, facts: object = {}, recorded: readonly ExpectedEvent[] = []): Scenario<Wallet> {
    const { events, refusal } = this.verdict;
    expect(refusal?.code ?? events).toBe(code);
    expect(refusal?.facts).toMatchObject(facts);
    // A person must be able to act on the sentence.
    expect(refusal?.detail).toMatch(/^\S.*[^.]\.$/s);
    expect(refusal?.detail).not.toMatch(/undefined|NaN|Infinity|\[object/);
    expect(events.map(({ type }) => type)).toEqual(recorded.map(({ type }) => type));
    recorded.forEach(({ data }, index) => {
      if (data) expect(events[index]?.data).toMatchObject(data);
    });
    return this.scenario;
  }
}

const noPolicy: Surroundings['policy'] = () => {
  throw new Error('an organisation asks for no policy');
};

/** An organisation's wallet, `acme`. */
export const given = (...facts: OrganisationFact[]): Scenario<OrganisationWallet> =>
  new Scenario(organisationLog('acme'), { settings: SETTINGS, policy: noPolicy }, facts);

/** The wallet of the user `u1`, and the organisations that its draws are decided under. */
export class UserScenario extends Scenario<UserWallet> {
  constructor(
    private readonly organisations: Map<string, WalletLog<OrganisationWallet>>,
    settings: PlatformSettings,
    facts: readonly UserFact[],
  ) {
    super(userLog('u1'), { settings, policy: policyOf(organisations) }, facts);
  }

  /** What has happened in an organisation; more facts of one that is known are added. */
  under(organisationId: string, ...facts: OrganisationFact[]): this {
    const log = this.organisations.get(organisationId) ?? organisationLog(organisationId);
    this.organisations.set(organisationId, log);
    const envelope = { actor: 'tester', role: 'platform', requestId: 'fact', correlationId: 'fact' };
    for (const fact of facts) log.record([fact(log.wallet, ms(LONG_AGO))], envelope, ms(LONG_AGO));
    return this;
  }

  revisionOf(organisationId: string): number | undefined {
    return this.organisations.get(organisationId)?.wallet.revision;
  }
}

export const givenUser = (...facts: UserFact[]): UserScenario => new UserScenario(new Map(), SETTINGS, facts);
export const givenUserWith = (settings: Partial<PlatformSettings>, ...facts: UserFact[]): UserScenario =>
  new UserScenario(new Map(), { ...SETTINGS, ...settings }, facts);
