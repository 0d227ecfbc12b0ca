/** The bounds of the readers of events. The class is its own Nest token; a test may narrow them before its first reader comes. */
export class FeedBounds {
  /** Beyond them a reader is told to come back later. */
  readersMax = 1_000;
  /** A reader to which nothing was written for so long gets a comment, so that what lies between keeps the connection. */
  heartbeatMs = 15_000;
  /** How often heartbeats, tokens and lags are looked at. */
  sweepMs = 1_000;
  /** A socket that has not taken one piece (at most `pieceBytes`) for so long is cut off: slower than 4 KiB/s is stuck. */
  stallMs = 15_000;
  /** A reader that was live and has been behind the shared window for so long is cut off; catching up from afar may take longer. */
  lagMs = 60_000;
  /** What is written to a socket before it must have drained. */
  pieceBytes = 64 * 1024;
  /** Recent events that live readers share; who is further behind reads the store. */
  windowBytes = 8 * 1024 * 1024;
  /** Live readers are woken at most so often, plus a tenth of a millisecond for each of them: one write for many events. */
  flushMs = 20;
  /** A reader that was cut off has so long to take the reason; then its connection is destroyed. */
  farewellMs = 500;
}

/** Events of one read, live or catching up. */
export const PAGE_EVENTS = 250;
