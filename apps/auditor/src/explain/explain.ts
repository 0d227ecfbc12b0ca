import type { EventStore } from '@ledger/event-store';
import {
  type EventOf,
  type OrganisationEvent,
  type PlatformSettings,
  streamOf,
  type UserEvent,
  type WalletRef,
  foldUser,
  foldOrganisation,
} from '@ledger/wallet';
import { CouldNotRun } from '../cli/command';
import { walletName } from '../replay/arguments';
import { allEvents, streamEvents } from '../replay/facts';
import { type CommandGroup, type Fact, factFrom, groupOf } from './command-group';
import { type Explanation, explanationOf, type Story } from './explanation';
import { limitStory } from './limit-stories';
import { organisationStory } from './organisation-stories';
import { LacksRevision, organisationAt, TermsReader, userAt } from './past';
import { beginningAgain, type DecidedAgain, newIdOf, organisationAgain, settingsOf, userAgain } from './reconstruct';
import { userStory } from './user-stories';

/** Explains events of one store. */
export class Explainer {
  constructor(
    private readonly store: EventStore,
    private readonly settings: PlatformSettings,
  ) {}

  /** Why the event is as it is; its command is decided again. */
  async explain(wallet: WalletRef, fact: Fact): Promise<Explanation> {
    const group = await groupOf(this.store, fact);
    const story = wallet.kind === 'user' ? await this.ofUser(wallet, fact) : await this.ofOrganisation(wallet, fact);
    const again = await this.again(wallet, fact, group);
    const findings = [...(story.findings ?? []), ...(await this.delivered(wallet, fact))];
    return explanationOf(walletName(wallet), fact, { ...story, findings }, again);
  }

  /** The limits that refused usages of a request met. Without a wallet every wallet is searched. */
  async *refusals(requestId: string, wallet: WalletRef | undefined): AsyncGenerator<Explanation> {
    const named = `"requestId":${JSON.stringify(requestId)}`;
    for await (const page of wallet ? streamEvents(this.store, streamOf(wallet)) : allEvents(this.store)) {
      for (const stored of page) {
        if (stored.type !== 'LimitReached' || !stored.metadata.includes(named)) continue;
        const fact = factFrom(stored);
        const id = stored.stream.slice('userWallet-'.length);
        if (fact.event.type === 'LimitReached' && fact.event.data.by === 'refusal') yield this.explain({ kind: 'user', id }, fact);
      }
    }
  }

  private async ofUser({ id }: WalletRef, { stored, event }: Fact): Promise<Story> {
    const { revision } = stored;
    const wallet = await userAt(this.store, id, revision - 1);
    if (event.type === 'LimitReached') return limitStory(this.store, event, wallet);
    const after = structuredClone(wallet);
    foldUser(after, event as UserEvent, { revision });
    const scene = { wallet, after, terms: new TermsReader(this.store), settings: this.settings };
    return sparingLacks(() => userStory(event as Exclude<UserEvent, EventOf<'LimitReached'>>, scene), event.type);
  }

  private async ofOrganisation({ id }: WalletRef, { stored, event }: Fact): Promise<Story> {
    const { revision } = stored;
    const wallet = await organisationAt(this.store, id, revision - 1);
    const after = structuredClone(wallet);
    foldOrganisation(after, event as OrganisationEvent, { revision });
    return organisationStory(event as OrganisationEvent, { wallet, after, settings: this.settings });
  }

  private async again(ref: WalletRef, fact: Fact, group: CommandGroup): Promise<DecidedAgain | undefined> {
    const first = group.before[0] ?? group.result[0];
    const result = group.result[0]?.event;
    if (first && !result && ref.kind === 'user' && group.before.some(({ stored }) => stored.revision === fact.stored.revision)) {
      const wallet = await userAt(this.store, ref.id, first.stored.revision - 1);
      return beginningAgain({ wallet, group, settings: settingsOf(this.settings, group) });
    }
    if (!first || !result) return undefined;
    // By which table a package was priced is recorded; one that is not at hand prices nothing.
    if (result.type === 'TokensPurchased' && result.data.priceTable !== this.settings.priceTable.version) return undefined;
    const settings = settingsOf(this.settings, group);
    const common = { store: this.store, ref, group, settings, newId: newIdOf(group), terms: new TermsReader(this.store) };
    const before = first.stored.revision - 1;
    try {
      return ref.kind === 'user'
        ? await userAgain({ ...common, wallet: await userAt(this.store, ref.id, before) })
        : await organisationAgain({ ...common, wallet: await organisationAt(this.store, ref.id, before) });
    } catch (error) {
      if (error instanceof LacksRevision) return { same: false, differences: [error.message.replace(/\.$/, '')] };
      throw error;
    }
  }

  /** A receipt is right when the organisation's own stream has its line. */
  private async delivered({ id }: WalletRef, { event }: Fact): Promise<string[]> {
    if (event.type !== 'AllocationReceived') return [];
    const { organisationId, allocationId, number, tokens } = event.data;
    const stream = streamOf({ kind: 'organisation', id: organisationId });
    for await (const page of streamEvents(this.store, stream)) {
      for (const stored of page) {
        if (stored.type !== 'TokensAllocated' || !stored.data.includes(JSON.stringify(allocationId))) continue;
        const { event: allocation } = factFrom(stored);
        if (allocation.type !== 'TokensAllocated') continue;
        if (allocation.data.lines.some(([userId, given, nth]) => userId === id && given === tokens && nth === number)) return [];
      }
    }
    return [`${organisationId} has no line ${number} of ${tokens} tokens for ${id} in the allocation ${allocationId}`];
  }
}

/** A draw that names a revision which its organisation lacks is a finding, and a story of its own. */
async function sparingLacks(tell: () => Promise<Story>, type: string): Promise<Story> {
  try {
    return await tell();
  } catch (error) {
    if (!(error instanceof LacksRevision)) throw error;
    return { summary: `This ${type} cannot be explained.`, sections: [], findings: [error.message.replace(/\.$/, '')] };
  }
}

/** @throws CouldNotRun */
export function nothingRefused(requestId: string): CouldNotRun {
  return new CouldNotRun(
    `No refused usage of the request "${requestId}" left a LimitReached: it was refused for another reason, or by a limit that was ` +
      'recorded as reached before (once for each window and limit value), or there was no such request.',
  );
}
