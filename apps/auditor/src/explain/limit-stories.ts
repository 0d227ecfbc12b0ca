import type { EventStore } from '@ledger/event-store';
import {
  emptyOrganisationWallet,
  type EventOf,
  foldOrganisation,
  isoInstant,
  type OrganisationEvent,
  type OrganisationWallet,
  policyFor,
  streamOf,
  type UserWallet,
  windowsAt,
} from '@ledger/wallet';
import { factOf, streamEvents } from '../replay/facts';
import type { Story } from './explanation';
import { factsOfUser, heldByUser, periodName, statusName, tokens, tokensWere } from './words';

type LimitReached = EventOf<'LimitReached'>;

/**
 * Why a limit is recorded as reached: which, whose, how much was used, and when it resets. What was asked is not recorded of a
 * refused usage, so it is not decided again; but what the event says is held against the wallet's own counters and the organisation's stream.
 */
export async function limitStory(store: EventStore, { data }: LimitReached, wallet: UserWallet): Promise<Story> {
  const { organisationId, period, window, limit, used, resetsAt, by, at } = data;
  const { userId } = wallet;
  const relationship = wallet.relationships.get(organisationId);
  const source = await limitInForce(store, userId, data);
  const findings = [
    ...((relationship?.used.get(window) ?? 0) === used
      ? []
      : [`${tokens(relationship?.used.get(window) ?? 0)} are counted in ${window}, and the event says ${tokens(used)}`]),
    ...(source ? [] : [`no event of ${organisationId} sets a limit of ${tokens(limit)} ${periodName[period]} for ${userId}`]),
    ...(source && !source.ends ? [`${window} does not end at ${resetsAt} in ${source.timeZone}`] : []),
  ];
  const whose = source?.whose === 'member' ? `${userId}'s own limit` : `the default limit`;
  const held = relationship?.tokens ?? 0;
  const lines = [
    `It is ${whose} at ${organisationId}: ${tokens(limit)} ${periodName[period]}.`,
    `${tokensWere(used)} used in ${window}, so ${limit > used ? tokensWere(limit - used) : 'nothing was'} left.`,
    `It resets at ${resetsAt}. Raising it frees at once; it binds nobody but ${userId} at ${organisationId}.`,
    `${organisationId} had allocated ${tokens(held)} that ${userId} still held.`,
    ...(source
      ? [`Terms as of event ${source.revision} of its stream: the member is ${source.status}; days and months of ${source.timeZone}.`]
      : []),
    by === 'draw'
      ? 'The usage just before this event took the last of it.'
      : 'A usage that needed more was refused. What it asked for is not recorded: a refusal leaves the limits that it met, and nothing else.',
    'A limit is recorded once for each window and limit value: later refusals by it leave no event.',
  ];
  const summary =
    by === 'draw'
      ? `${userId} used up the ${period} limit of ${organisationId}.`
      : `A usage of ${userId} was refused at ${at}: the ${period} limit of ${organisationId} left too little.`;
  return {
    summary,
    sections: [
      { heading: 'The limit', lines },
      { heading: 'Then the wallet held', lines: heldByUser(wallet) },
    ],
    facts: { limit: { ...data, userId, whose: source?.whose, revision: source?.revision }, held: factsOfUser(wallet) },
    findings,
    checked: "What it says was held against the wallet's own counters and the organisation's stream",
  };
}

interface InForce {
  revision: number;
  whose: 'member' | 'default';
  timeZone: string;
  status: string;
  /** The window of the limit ends in that zone when the event says. */
  ends: boolean;
}

/**
 * Where the limit came from. It was read at the head of the organisation's stream, on the clock of whichever instance: so it is where
 * the same limit and zone stood last before the instant, else where they stood next; else where the limit alone did.
 */
async function limitInForce(store: EventStore, userId: string, data: LimitReached['data']): Promise<InForce | undefined> {
  const organisation = emptyOrganisationWallet(data.organisationId);
  let [whole, limitAlone]: (InForce | undefined)[] = [];
  for await (const page of streamEvents(store, streamOf({ kind: 'organisation', id: data.organisationId }))) {
    for (const stored of page) {
      const { revision } = stored;
      const event = factOf(stored) as OrganisationEvent;
      foldOrganisation(organisation, event, { revision });
      const late = event.data.at > data.at;
      if (late && whole) return whole;
      const found = termsNow(organisation, userId, data);
      if (found?.ends) whole = found;
      if (found && !(late && limitAlone)) limitAlone = found;
    }
  }
  return whole ?? limitAlone;
}

/** The terms of the member as the organisation stands now, when they have the limit. */
function termsNow(
  organisation: OrganisationWallet,
  userId: string,
  { period, limit, window, resetsAt }: LimitReached['data'],
): InForce | undefined {
  const policy = policyFor(organisation, userId);
  if (policy?.limits[period].limit !== limit) return undefined;
  const { timeZone, status, usable, revision } = policy;
  // A usage counts in the window of the instant at which it happened, and the last instant of a window is in it.
  const last = windowsAt(timeZone, Date.parse(resetsAt) - 1)[period];
  const ends = last.window === window && isoInstant(last.resetsAt) === resetsAt;
  return { revision, whose: policy.limits[period].source, timeZone, status: statusName(status, usable), ends };
}
