import { Empty, StreamIdentifier } from '@eventstore/db-client/generated/shared_pb';
import { ReadReq } from '@eventstore/db-client/generated/streams_pb';
import { NO_POSITION } from '../event-store';

/** Streams of any other name are none of the ledger's: the server leaves them out. */
export const WALLET_STREAMS = ['organisationWallet-', 'userWallet-'];
/** The server looks at so many foreign events before it tells how far it is, or lets others have a turn. */
const SEARCH_WINDOW = 1_000;

const { FORWARDS, BACKWARDS } = ReadReq.Options.ReadDirection;

/** Events of one stream from a revision on, oldest first. */
export const streamFrom = (stream: string, revision: number, count: number): ReadReq =>
  request((options) => options.setStream(ofStream(stream).setRevision(String(revision))).setCount(String(count)));

/** The last event of a stream. */
export const streamEnd = (stream: string): ReadReq =>
  request((options) => options.setStream(ofStream(stream).setEnd(new Empty())).setCount('1').setReadDirection(BACKWARDS));

/** Events of the wallets' streams from a position on, that one included. */
export const allFrom = (position: bigint, count: number): ReadReq =>
  request((options) =>
    options
      .setAll(from(position))
      .setCount(String(count))
      .setFilter(walletStreams(count + 1)),
  );

/** The first event from a position on, whatever its stream: a filtered read would go on looking when none of ours stands there. */
export const eventFrom = (position: bigint): ReadReq => request((options) => options.setAll(from(position)).setCount('1'));

/** The last event of all wallets' streams. */
export const allEnd = (): ReadReq =>
  request((options) =>
    options
      .setAll(new ReadReq.Options.AllOptions().setEnd(new Empty()))
      .setCount('1')
      .setReadDirection(BACKWARDS)
      .setFilter(walletStreams(0)),
  );

/** What comes behind a position, for ever, with word of how far the server is when nothing of ours comes. */
export const allBehind = (position: bigint): ReadReq =>
  request((options) =>
    options.setAll(from(position)).setSubscription(new ReadReq.Options.SubscriptionOptions()).setFilter(walletStreams(0)),
  );

function request(fill: (options: ReadReq.Options) => ReadReq.Options): ReadReq {
  const options = new ReadReq.Options()
    .setReadDirection(FORWARDS)
    .setResolveLinks(false)
    .setNoFilter(new Empty())
    .setUuidOption(new ReadReq.Options.UUIDOption().setString(new Empty()));
  return new ReadReq().setOptions(fill(options));
}

const ofStream = (stream: string): ReadReq.Options.StreamOptions =>
  new ReadReq.Options.StreamOptions().setStreamIdentifier(new StreamIdentifier().setStreamName(Buffer.from(stream)));

function from(position: bigint): ReadReq.Options.AllOptions {
  const options = new ReadReq.Options.AllOptions();
  if (position === NO_POSITION) return options.setStart(new Empty());
  const text = String(position);
  return options.setPosition(new ReadReq.Options.Position().setCommitPosition(text).setPreparePosition(text));
}

/** Older servers refuse a window that is not larger than the count. */
const walletStreams = (windowMin: number): ReadReq.Options.FilterOptions =>
  new ReadReq.Options.FilterOptions()
    .setStreamIdentifier(new ReadReq.Options.FilterOptions.Expression().setPrefixList(WALLET_STREAMS))
    .setMax(Math.max(SEARCH_WINDOW, windowMin))
    .setCheckpointintervalmultiplier(1);
