import type { EventStore } from '@ledger/event-store';
import { effectiveLimit, type EventOf, isoInstant, streamOf, type UserWallet, windowsAt } from '@ledger/wallet';
import { factOf, streamEvents } from '../replay/facts';
import type { Story } from './explanation';
import { organisationAt, revisionAt } from './past';
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
  const source = await limitInForce(store, wallet, data);
  const findings = [
    ...((relationship?.used.get(window) ?? 0) === used
      ? []
      : [`${tokens(relationship?.used.get(window) ?? 0)} are counted in ${window}, and the event says ${tokens(used)}`]),
    ...(source ? [] : [`no event of ${organisationId} sets a limit of ${tokens(limit)} ${periodName[period]} for ${userId}`]),
    ...(source && resetOf(source.timeZone, data) === false ? [`${window} does not end at ${resetsAt} in ${source.timeZone}`] : []),
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
}

/**
 * Where the limit came from. It was read at the head of the organisation's stream, on the clock of whichever instance: so it is looked
 * for at the revision of that instant, and from there on back, then forward.
 */
async function limitInForce(
  store: EventStore,
  { userId }: UserWallet,
  { organisationId, period, limit, at }: LimitReached['data'],
): Promise<InForce | undefined> {
  const stream = streamOf({ kind: 'organisation', id: organisationId });
  const then = await revisionAt(store, stream, at);
  for (const revision of [then, ...(await limitsSet(store, stream, then))]) {
    const { defaults, members, timeZone, opened } = await organisationAt(store, organisationId, revision);
    const member = members.get(userId);
    const found = effectiveLimit(defaults, member?.override, 'usage', period);
    const status = statusName(member?.status ?? 'removed', !(member?.status === 'suspended' || member?.suspendedWhenRemoved));
    if (opened && found.limit === limit) return { revision, whose: found.source, timeZone, status };
  }
  return undefined;
}

/** As many changes of limits are looked at around an instant. */
const CHANGES_MAX = 8;

/** Revisions at which limits changed, the nearest to a revision first; and those just before each. */
async function limitsSet(store: EventStore, stream: string, near: number): Promise<number[]> {
  const found: number[] = [];
  for await (const page of streamEvents(store, stream)) {
    for (const stored of page) {
      const { type } = factOf(stored);
      if (type === 'LimitSet' || type === 'LimitCleared') found.push(stored.revision, stored.revision - 1);
    }
  }
  return found
    .filter((revision) => revision >= 0)
    .sort((a, b) => Math.abs(a - near) - Math.abs(b - near))
    .slice(0, CHANGES_MAX);
}

/** Whether the window of the limit ends when the event says; undefined when the zone cannot tell. A usage counts up to 72 h back. */
function resetOf(timeZone: string, { window, period, resetsAt }: LimitReached['data']): boolean {
  const last = windowsAt(timeZone, Date.parse(resetsAt) - 1)[period];
  return last.window === window && isoInstant(last.resetsAt) === resetsAt;
}
